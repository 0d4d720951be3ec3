import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Hmac, SignMethod } from './signing';

const ALGORITHMS: Record<SignMethod, string> = {
  hmacsha256: 'sha256',
  hmacsha1: 'sha1',
  hmacmd5: 'md5',
};

/** HMAC by Node.js; the browser has its own in the editor's code. */
export const hmac: Hmac = (method, secret, content) =>
  createHmac(ALGORITHMS[method], secret).update(content, 'utf8').digest('hex');

/** Compares two hex texts without regard to case and without telling by time where they differ. */
export function sameSign(given: string, expected: string): boolean {
  const a = Buffer.from(given.toLowerCase(), 'utf8');
  const b = Buffer.from(expected.toLowerCase(), 'utf8');
  return a.length === b.length && timingSafeEqual(a, b);
}
