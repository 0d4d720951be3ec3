import { isIP } from 'node:net';
import type { TlsFiles } from './doors';

const LIFETIME_MS = 365 * 24 * 3_600_000;

/** A certificate for this host, signed by itself, so that it is its own root. */
export async function makeCertificate(host: string): Promise<TlsFiles> {
  const { generate } = await import('selfsigned');
  const addresses = new Set(['127.0.0.1', '::1', ...(isIP(host) ? [host] : [])]);
  const names = new Set(['localhost', ...(isIP(host) ? [] : [host])]);
  const made = await generate([{ name: 'commonName', value: 'alink-emulator' }], {
    // An RSA key takes longer to make than everything else at the start together.
    keyType: 'ec',
    algorithm: 'sha256',
    notAfterDate: new Date(Date.now() + LIFETIME_MS),
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', digitalSignature: true, keyCertSign: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          ...[...names].map((value) => ({ type: 2 as const, value })),
          ...[...addresses].map((ip) => ({ type: 7 as const, ip })),
        ],
      },
    ],
  });
  return { key: made.private, cert: made.cert };
}
