import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';

/**
 * By the roots added. One made anew for each connection is most of a megabyte of which the collector knows nothing, and
 * milliseconds of reading some 150 certificates.
 */
const contexts = new Map<string, SecureContext>();
/** More than anybody has platforms; the oldest gives way. */
const MOST_CONTEXTS = 20;

/**
 * Whom TLS trusts: Node.js's own roots and, besides them, never in their place, one's own.
 * @param ca PEM, one or more certificates
 */
export function trustOf(ca: string | undefined): SecureContext {
  const key = ca ?? '';
  const known = contexts.get(key);
  if (known) return known;
  const context = createSecureContext({
    ...(ca === undefined ? {} : { ca: [...rootCertificates, ca] }),
    minVersion: 'TLSv1.2',
  });
  const [oldest] = contexts.keys();
  if (oldest !== undefined && contexts.size >= MOST_CONTEXTS) contexts.delete(oldest);
  contexts.set(key, context);
  return context;
}
