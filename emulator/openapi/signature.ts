import { createHash, createHmac } from 'node:crypto';
import { sameSign } from '../../protocol/hmac';
import type { AccessKey } from '../config';

/** A request to the OpenAPI as it came. */
export interface OpenApiRequest {
  /** Address under which the client reached us, which is one that works for it: `http://127.0.0.1:48080`. */
  origin: string;
  method: string;
  path: string;
  query: URLSearchParams;
  /** Fields of a form body. */
  form: URLSearchParams;
  body: Buffer;
  headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** Why a signature is refused; the names are the platform's error codes. */
export type SignatureFault =
  | 'MissingAccessKeyId'
  | 'InvalidAccessKeyId.NotFound'
  | 'SignatureDoesNotMatch'
  | 'IncompleteSignature';

const ACS3 = /^ACS3-HMAC-SHA256 Credential=([^,]+),\s*SignedHeaders=([^,]+),\s*Signature=([0-9a-f]+)$/i;

/**
 * Checks either generation of signature: `Authorization: ACS3-HMAC-SHA256 …`, or the `Signature` parameter of
 * version 1.0. Times and nonces are not checked, so that recorded requests can be replayed.
 * @returns undefined when it is right
 */
export function checkSignature(
  request: OpenApiRequest,
  accessKeys: readonly AccessKey[],
): SignatureFault | undefined {
  const { authorization } = request.headers;
  if (typeof authorization === 'string') return checkAcs3(request, authorization, accessKeys);
  return checkVersion1(request, accessKeys);
}

function checkAcs3(
  request: OpenApiRequest,
  authorization: string,
  accessKeys: readonly AccessKey[],
): SignatureFault | undefined {
  const [, id, signedHeaders, signature] = ACS3.exec(authorization) ?? [];
  if (id === undefined || signedHeaders === undefined || signature === undefined)
    return 'IncompleteSignature';
  const key = accessKeys.find((entry) => entry.id === id);
  if (key === undefined) return 'InvalidAccessKeyId.NotFound';
  const hashed = sha256(request.body);
  const names = signedHeaders.toLowerCase().split(';');
  // Without these an intercepted signature would fit another action.
  if (!names.includes('x-acs-action') || !names.includes('x-acs-content-sha256'))
    return 'IncompleteSignature';
  const headers = names.map((name) => `${name}:${String(request.headers[name] ?? '').trim()}\n`).join('');
  const canonical = [
    request.method,
    request.path,
    canonicalQuery(request.query),
    headers,
    names.join(';'),
    hashed,
  ];
  const expected = createHmac('sha256', key.secret)
    .update(`ACS3-HMAC-SHA256\n${sha256(canonical.join('\n'))}`)
    .digest('hex');
  return sameSign(signature, expected) ? undefined : 'SignatureDoesNotMatch';
}

function checkVersion1(
  { method, query, form }: OpenApiRequest,
  accessKeys: readonly AccessKey[],
): SignatureFault | undefined {
  const parameters = new URLSearchParams([...query, ...form]);
  const id = parameters.get('AccessKeyId');
  const signature = parameters.get('Signature');
  if (id === null) return 'MissingAccessKeyId';
  if (signature === null || (parameters.get('SignatureMethod') ?? 'HMAC-SHA1') !== 'HMAC-SHA1') {
    return 'IncompleteSignature';
  }
  const key = accessKeys.find((entry) => entry.id === id);
  if (key === undefined) return 'InvalidAccessKeyId.NotFound';
  parameters.delete('Signature');
  const text = `${method}&%2F&${encode(canonicalQuery(parameters))}`;
  const expected = createHmac('sha1', `${key.secret}&`).update(text).digest('hex');
  const given = Buffer.from(signature, 'base64').toString('hex');
  return sameSign(given, expected) ? undefined : 'SignatureDoesNotMatch';
}

function canonicalQuery(parameters: URLSearchParams): string {
  return [...parameters]
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .join('&');
}

/** Percent-encoding of RFC 3986: `!'()*` too. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
