import type { IncomingMessage } from 'node:http';

/** Largest body that a device may send (section D). */
export const LARGEST_BODY_BYTES = 128 * 1024;

/**
 * Largest request of an application, in its query or its body: an MQTT payload in Base64, of which each character may be
 * percent-encoded to three, with room for the rest.
 */
export const LARGEST_CALL_BYTES = 1152 * 1024;

/** The request's body is too large or broke off. */
export class BodyError extends Error {
  override readonly name = 'BodyError';
  constructor(
    readonly status: 400 | 413,
    most = LARGEST_BODY_BYTES,
  ) {
    super(status === 413 ? `the body is larger than ${most} bytes` : 'the body broke off');
  }
}

/** Reads the whole body. @throws BodyError */
export function readBody(request: IncomingMessage, most = LARGEST_BODY_BYTES): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= most) chunks.push(chunk);
      else {
        // The rest is read and thrown away, so that the answer reaches the sender.
        chunks.length = 0;
        reject(new BodyError(413, most));
      }
    });
    request.on('end', () => resolve(Buffer.concat(chunks)));
    request.on('error', () => reject(new BodyError(400)));
    // It also closes after its end; an error for each request would cost more than reading it.
    request.on('close', () => {
      if (!request.complete) reject(new BodyError(400));
    });
  });
}

/**
 * Reads named texts from a form or a JSON body, as devices of all kinds send them. Numbers become text.
 * @returns undefined when the body is neither
 */
export function readFields(contentType: string, body: Buffer): Map<string, string> | undefined {
  const text = body.toString();
  if (!contentType.includes('json') && !text.trimStart().startsWith('{')) {
    return new Map(new URLSearchParams(text));
  }
  try {
    const json: unknown = JSON.parse(text);
    if (typeof json !== 'object' || json === null || Array.isArray(json)) return undefined;
    const fields = Object.entries(json).filter(
      ([, value]) => typeof value === 'string' || typeof value === 'number',
    );
    return new Map(fields.map(([name, value]) => [name, String(value)]));
  } catch {
    return undefined;
  }
}
