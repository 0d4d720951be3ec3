import { createHash } from 'node:crypto';
import { EnvelopeError, type Json, parseJson } from '../../protocol';
import { AlinkError, type ErrorKey, type Retry } from '../errors';
import { HttpsError, networkReason } from '../https/error';
import { type HttpsAnswer, httpsGet } from '../https/get';
import { statusProblem } from '../https/status';
import { TimeLimit } from '../time-limit';
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

/**
 * Loads the document of an offer once and checks size, digest and syntax.
 * @throws AlinkError `configurationNotAllowed`, `configurationTooLarge`, `configurationExpired`,
 * `configurationNotLoaded` (its `retry` is `slow` when another try may help), `configurationMismatch`,
 * `configurationNotJson`, `closed`
 */
export async function loadDocument(offer: DocumentOffer, options: LoadOptions): Promise<LoadedDocument> {
  const { mostBytes = USUAL_DOCUMENT_BYTES } = options;
  if (offer.size !== undefined && offer.size > mostBytes) throw tooLarge(offer.size, mostBytes);
  const bytes = await load(offer.url, options, mostBytes);
  const size = bytes.length;
  if (offer.size !== undefined && offer.size !== size) {
    const reason = `it has ${size} bytes instead of ${offer.size}`;
    throw problem('configurationMismatch', 'documentSize', reason, { size, expected: offer.size });
  }
  const digest = createHash('sha256').update(bytes).digest('hex');
  if (digest !== offer.digest)
    throw problem('configurationMismatch', 'documentDigest', 'its SHA-256 is another');
  return { ...parseDocument(bytes), size, digest };
}

/** @throws AlinkError `configurationNotJson` */
export function parseDocument(bytes: Uint8Array): { text: string; document: Json } {
  let text: string;
  try {
    // Unlike that of messages, which is lenient: a document with broken characters is not what somebody wrote.
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw problem('configurationNotJson', 'documentUtf8', 'it is not UTF-8');
  }
  try {
    return { text, document: parseJson(text) };
  } catch (thrown) {
    if (!(thrown instanceof EnvelopeError)) throw thrown;
    const isDeep = thrown.problem === 'tooDeep';
    const reason = thrown.message.replace('payload', 'document');
    throw problem('configurationNotJson', isDeep ? 'documentDeep' : 'documentSyntax', reason);
  }
}

async function load(url: string, options: LoadOptions, mostBytes: number): Promise<Buffer> {
  const { hosts, allowHttp, ca, handshakeMs, downloadMs = USUAL_DOWNLOAD_MS } = options;
  const limit = new TimeLimit(options.signal, downloadMs);
  const { signal } = limit;
  let answer: HttpsAnswer | undefined;
  try {
    answer = await httpsGet(url, { hosts, allowHttp, ca, handshakeMs, stallMs: downloadMs, signal });
    return await body(answer, mostBytes);
  } catch (thrown) {
    answer?.discard();
    if (options.signal.aborted) throw new AlinkError('closed', 'the device was given back or closed');
    if (!limit.isOver) throw loadError(thrown);
    const seconds = downloadMs / 1000;
    throw problem('configurationNotLoaded', 'documentSlow', `not within ${seconds} s`, { seconds }, 'slow');
  } finally {
    limit.end();
  }
}

async function body({ status, headers, read }: HttpsAnswer, mostBytes: number): Promise<Buffer> {
  if (status !== 200) throw answered(status);
  if ((headers['content-encoding'] ?? 'identity') !== 'identity')
    throw problem('configurationNotLoaded', 'documentPacked', 'the server sent it in a packed form');
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

function answered(status: number): AlinkError {
  const why = statusProblem(status);
  const key = why === 'expired' ? 'configurationExpired' : 'configurationNotLoaded';
  const reason = `the server answered ${status}`;
  return problem(key, 'documentStatus', reason, { status }, why === 'passing' ? 'slow' : 'no');
}

/** What a failure of the network means here; anything else as it is. */
function loadError(thrown: unknown): unknown {
  if (thrown instanceof HttpsError) {
    const { host, rule, value, message: reason } = thrown;
    if (thrown.problem === 'notAllowed') {
      const details = { host, reason, rule };
      return new AlinkError('configurationNotAllowed', `${host}: ${reason}`, { details });
    }
    const retry = thrown.problem === 'passing' ? 'slow' : 'no';
    return problem('configurationNotLoaded', rule, reason, { value }, retry);
  }
  if (!(thrown instanceof AlinkError) || thrown.key.startsWith('configuration')) return thrown;
  const { key, message, retry } = thrown;
  const { rule, values } = networkReason(thrown);
  // A certificate that is not trusted will not be in a minute.
  return problem('configurationNotLoaded', rule, message, values, key === 'tls' ? 'no' : retry);
}

function tooLarge(value: number, limit: number): AlinkError {
  return new AlinkError(
    'configurationTooLarge',
    `the configuration has ${value} bytes or more, at most ${limit} are allowed`,
    { details: { value, limit } },
  );
}

/** @param rule what a program that shows the reason in another language goes by; undefined for one that it has not */
function problem(
  key: ErrorKey,
  rule: string | undefined,
  reason: string,
  values: Readonly<Record<string, string | number>> = {},
  retry: Retry = 'no',
): AlinkError {
  const isContent = key === 'configurationMismatch' || key === 'configurationNotJson';
  return new AlinkError(key, `the configuration could not be used: ${reason}`, {
    ...(isContent ? { code: 460 } : {}),
    retry,
    details: { ...values, reason, ...(rule === undefined ? {} : { rule }) },
  });
}
