import { createHash } from 'node:crypto';
import { EnvelopeError, type Json, parseJson } from '../../protocol';
import { AlinkError, type ErrorKey } from '../errors';
import { HttpsError } from '../https/error';
import { type HttpsAnswer, httpsGet } from '../https/get';
import type { DocumentOffer } from './offer';
import { type DocumentOptions, USUAL_DOCUMENT_BYTES } from './types';

export interface LoadOptions extends DocumentOptions {
  /** Trusted besides Node.js's own roots. */
  ca: string | undefined;
  /** Plain http is allowed only for an emulator. */
  allowHttp: boolean;
  handshakeMs: number;
  signal: AbortSignal;
}

/** A document that was checked. */
export interface LoadedDocument {
  /** As it came. */
  text: string;
  document: Json;
  size: number;
  digest: string;
}

const USUAL_DOWNLOAD_MS = 30_000;
/** Answers to an address that is not, or no longer, good. */
const EXPIRED: ReadonlySet<number> = new Set([401, 403, 404, 410]);

/**
 * Loads the document of an offer and checks size, digest and syntax.
 * @throws AlinkError `configurationNotAllowed`, `configurationTooLarge`, `configurationExpired`,
 * `configurationNotLoaded`, `configurationMismatch`, `configurationNotJson`, `closed`
 */
export async function loadDocument(offer: DocumentOffer, options: LoadOptions): Promise<LoadedDocument> {
  const { mostBytes = USUAL_DOCUMENT_BYTES, downloadMs = USUAL_DOWNLOAD_MS } = options;
  if (offer.size !== undefined && offer.size > mostBytes) throw tooLarge(offer.size, mostBytes);
  const bytes = await load(offer.url, options, mostBytes, downloadMs);
  if (offer.size !== undefined && offer.size !== bytes.length) {
    throw problem('configurationMismatch', `it has ${bytes.length} bytes instead of ${offer.size}`);
  }
  const digest = createHash('sha256').update(bytes).digest('hex');
  if (digest !== offer.digest) throw problem('configurationMismatch', 'its SHA-256 is another');
  return { ...parseDocument(bytes), size: bytes.length, digest };
}

/** @throws AlinkError `configurationNotJson` */
export function parseDocument(bytes: Uint8Array): { text: string; document: Json } {
  try {
    // Unlike that of messages, which is lenient: a document with broken characters is not what somebody wrote.
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return { text, document: parseJson(text) };
  } catch (thrown) {
    const reason = thrown instanceof EnvelopeError ? thrown.message : 'it is not UTF-8';
    throw problem('configurationNotJson', reason.replace('payload', 'document'));
  }
}

async function load(
  url: string,
  options: LoadOptions,
  mostBytes: number,
  downloadMs: number,
): Promise<Buffer> {
  const limit = AbortSignal.timeout(downloadMs);
  const signal = AbortSignal.any([options.signal, limit]);
  const { hosts, allowHttp, ca, handshakeMs } = options;
  let answer: HttpsAnswer | undefined;
  try {
    answer = await httpsGet(url, { hosts, allowHttp, ca, handshakeMs, stallMs: downloadMs, signal });
    return await body(answer, mostBytes);
  } catch (thrown) {
    answer?.discard();
    if (thrown instanceof AlinkError && thrown.key.startsWith('configuration')) throw thrown;
    if (options.signal.aborted) throw new AlinkError('closed', 'the device was given back or closed');
    if (limit.aborted) throw problem('configurationNotLoaded', `not within ${downloadMs / 1000} s`, 'slow');
    if (thrown instanceof HttpsError && thrown.problem === 'notAllowed') {
      const { host, message: reason } = thrown;
      throw new AlinkError('configurationNotAllowed', `${host}: ${reason}`, { details: { host, reason } });
    }
    if (!(thrown instanceof HttpsError || thrown instanceof AlinkError)) throw thrown;
    throw problem('configurationNotLoaded', thrown.message, 'slow');
  }
}

async function body({ status, headers, read }: HttpsAnswer, mostBytes: number): Promise<Buffer> {
  if (EXPIRED.has(status)) throw problem('configurationExpired', `the server answered ${status}`);
  if (status !== 200) throw problem('configurationNotLoaded', `the server answered ${status}`, 'slow');
  if ((headers['content-encoding'] ?? 'identity') !== 'identity')
    throw problem('configurationNotLoaded', 'the server sent it in a packed form');
  const told = Number(headers['content-length']);
  if (told > mostBytes) throw tooLarge(told, mostBytes);
  const parts: Uint8Array[] = [];
  let size = 0;
  await read((chunk) => {
    size += chunk.length;
    if (size > mostBytes) throw tooLarge(size, mostBytes);
    parts.push(Buffer.from(chunk));
    return undefined;
  });
  return Buffer.concat(parts);
}

function tooLarge(value: number, limit: number): AlinkError {
  return new AlinkError(
    'configurationTooLarge',
    `the configuration has ${value} bytes or more, at most ${limit} are allowed`,
    { details: { value, limit } },
  );
}

function problem(key: ErrorKey, reason: string, retry: 'no' | 'slow' = 'no'): AlinkError {
  const isContent = key === 'configurationMismatch' || key === 'configurationNotJson';
  return new AlinkError(key, `the configuration could not be used: ${reason}`, {
    ...(isContent ? { code: 460 } : {}),
    retry,
    details: { reason },
  });
}
