import type { RequestListener } from 'node:http';
import type { AccessKey } from '../config';
import type { Emulator } from '../emulator';
import type { Platform } from '../platform';

export interface HttpContext {
  platform: Platform;
  emulator: Emulator;
  accessKeys: readonly AccessKey[];
}

/** The HTTP door. */
export function createHttpHandler(_context: HttpContext): RequestListener {
  return (request, response) => {
    request.resume();
    response.writeHead(404).end();
  };
}
