import { createHash } from 'node:crypto';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { certificate } from '../../test/support/certificates';

/** What a download is of, and where it lies. */
export interface OtaFile {
  port: number;
  /** Certificate to trust. */
  ca: string;
  size: number;
  sha256: string;
}

const BLOCK = Buffer.alloc(1024 * 1024, 'firmware ');
const { size } = JSON.parse(process.argv[2] ?? '{}') as { size: number };

/** Serves one file over TLS from memory, as fast as it is taken. */
async function main(): Promise<void> {
  const { key, cert } = await certificate();
  const hash = createHash('sha256');
  for (let at = 0; at < size; at += BLOCK.length) hash.update(BLOCK.subarray(0, size - at));
  const server = createServer({ key, cert }, (_, response) => {
    response.writeHead(200, { 'content-length': size });
    let at = 0;
    const more = () => {
      while (at < size) {
        const piece = BLOCK.subarray(0, size - at);
        at += piece.length;
        if (!response.write(piece)) return;
      }
      response.off('drain', more);
      response.end();
    };
    response.on('drain', more);
    more();
  });
  const sha256 = hash.digest('hex');
  process.on('message', (order: { type: string }) => {
    if (order.type === 'stop') process.exit(0);
    const { port } = server.address() as AddressInfo;
    const file: OtaFile & { type: string } = { type: 'result', port, ca: cert, size, sha256 };
    process.send?.(file);
  });
  server.listen(0, '127.0.0.1', () => process.send?.({ type: 'ready' }));
}

void main();
