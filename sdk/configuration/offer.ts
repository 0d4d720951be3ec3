import { isJsonObject, type Json } from '../../protocol';
import { AlinkError } from '../errors';

/** A document that lies somewhere, and how to know it. */
export interface DocumentOffer {
  /** Signed; never to be logged. */
  url: string;
  /** SHA-256, lower-case hexadecimal. */
  digest: string;
  /** Bytes, where they are told. */
  size?: number;
}

export interface ConfigurationOffer extends DocumentOffer {
  configId: string;
}

const LONGEST_ID = 256;
const LONGEST_URL = 8192;

/** Reads what row 33 answers and row 34 pushes. @throws AlinkError `configurationOffer` */
export function readConfigurationOffer(data: Json | undefined): ConfigurationOffer {
  if (!isJsonObject(data)) throw unusable('offerNoObject', 'it is not an object');
  const { configId, configSize, sign, signMethod, url } = data;
  if (typeof configId !== 'string' || configId === '' || configId.length > LONGEST_ID)
    throw unusable('offerConfigId', `configId is not a text of 1–${LONGEST_ID} characters`);
  const size = typeof configSize === 'string' ? Number(configSize) : configSize;
  const hasSize = size !== undefined && size !== null;
  if (hasSize && !(typeof size === 'number' && Number.isSafeInteger(size) && size >= 0))
    throw unusable('offerSize', 'configSize is no number of bytes', configId);
  return {
    configId,
    url: readUrl(url, configId),
    digest: readDigest('sign', sign, signMethod, configId),
    ...(typeof size === 'number' ? { size } : {}),
  };
}

/** Reads what `thing.model.config.push` carries (H). @throws AlinkError `configurationOffer` */
export function readModelOffer(data: Json | undefined): DocumentOffer {
  if (!isJsonObject(data)) throw unusable('offerNoObject', 'it is not an object');
  return { url: readUrl(data.url), digest: readDigest('digest', data.digest, data.digestMethod) };
}

function readUrl(url: Json | undefined, configId?: string): string {
  if (typeof url === 'string' && url !== '' && url.length <= LONGEST_URL) return url;
  throw unusable('offerUrl', 'it has no url', configId);
}

function readDigest(
  name: string,
  value: Json | undefined,
  method: Json | undefined = 'sha256',
  configId?: string,
): string {
  const known = typeof method === 'string' && method.toLowerCase().replace('-', '') === 'sha256';
  if (!known) throw unusable('offerDigestMethod', `${name}: the method is not SHA-256`, configId);
  if (typeof value === 'string' && /^[0-9a-f]{64}$/i.test(value)) return value.toLowerCase();
  throw unusable('offerDigest', `${name} is no SHA-256`, configId);
}

function unusable(rule: string, reason: string, configId = ''): AlinkError {
  return new AlinkError('configurationOffer', `the configuration cannot be used: ${reason}`, {
    code: 460,
    details: { rule, reason, configId },
  });
}
