import { explainConnack } from '../../protocol';
import { AlinkError, type ErrorKey } from '../errors';

const DNS = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EAI_NODATA', 'EAI_NONAME']);
const TLS_REASONS: Record<string, string> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'the certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'the root certificate is not trusted: add it as own CA',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'the root certificate is not trusted: add it as own CA',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'the root certificate is not trusted: add it as own CA',
  CERT_HAS_EXPIRED: 'the certificate has expired',
  CERT_NOT_YET_VALID: 'the certificate is not valid yet: check the clock',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate is for another host',
};

/** Says what a socket's error means for whoever set up the address. */
export function networkError(error: Error, { host, port }: { host: string; port: number }): AlinkError {
  // What this side found out has its own words.
  if (error instanceof AlinkError) return error;
  const code = codeOf(error);
  const retry = 'slow';
  if (DNS.has(code)) {
    return new AlinkError('dns', `the host ${host} is not known`, {
      retry,
      cause: error,
      details: { host, port },
    });
  }
  const reason = TLS_REASONS[code];
  if (
    reason !== undefined ||
    code.startsWith('ERR_SSL') ||
    code.startsWith('ERR_TLS') ||
    code.startsWith('CERT_')
  ) {
    const words = reason ?? error.message.slice(0, 200);
    return new AlinkError('tls', `no secure connection to ${host}:${port}: ${words}`, {
      retry,
      cause: error,
      details: { host, port, reason: words },
    });
  }
  const words = code || error.message.slice(0, 200);
  return new AlinkError('unreachable', `no connection to ${host}:${port}: ${words}`, {
    retry,
    cause: error,
    details: { host, port, reason: words },
  });
}

const CONNACK_KEYS: Record<number, ErrorKey> = {
  1: 'refusedVersion',
  2: 'refusedIdentifier',
  3: 'refusedServer',
  4: 'refusedCredentials',
  5: 'refusedNotAuthorized',
};

/** Says what a CONNACK other than 0 means here (A.5). */
export function connackError(returnCode: number): AlinkError {
  const explanation = explainConnack(returnCode)?.en ?? `the platform refused with code ${returnCode}`;
  return new AlinkError(CONNACK_KEYS[returnCode] ?? 'refusedServer', explanation, {
    code: returnCode,
    retry: 'slow',
  });
}

function codeOf(error: Error): string {
  // Happy eyeballs gives one error for several addresses; each has its own reason, usually the same.
  const first = error instanceof AggregateError ? (error.errors[0] as unknown) : error;
  const code = typeof first === 'object' && first !== null ? Reflect.get(first, 'code') : undefined;
  return typeof code === 'string' ? code : '';
}
