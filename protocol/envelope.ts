/** A value that JSON can hold. */
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
export type JsonObject = { [name: string]: Json };

/** A request in either direction (B.0). The id keeps its JSON type so that the answer can echo it. */
export interface AlinkRequest {
  id: string | number;
  version?: string;
  method?: string;
  /** Absent and the text `"{}"` are read as `{}` (section J row 11). */
  params: Json;
  /** False when `sys.ack` is 0: the sender wants no answer. */
  wantsReply: boolean;
  /** The gateway model configuration carries `data` where others carry `params` (B.4 row 60). */
  data?: Json;
}

/** An answer in either direction (B.0). */
export interface AlinkReply {
  id: string | number;
  code: number;
  data: Json;
  message?: string;
  method?: string;
  version?: string;
}

/** Ids are decimal text below this (B.0). */
export const MESSAGE_ID_LIMIT = 2 ** 32;
// The rule is 10 digits, but the vendor's own Node.js SDK writes `1|exp-topic|{reply topic}`.
const LONGEST_ID = 256;
// Deeper nesting than any operation uses; JSON.parse itself survives more, recursive readers might not.
const DEEPEST = 32;
// One for all: making a decoder costs more than reading a message with it.
const DECODER = new TextDecoder();

/** Why a payload is not an Alink message. */
export class EnvelopeError extends Error {
  override readonly name = 'EnvelopeError';
  constructor(
    readonly problem: 'notJson' | 'notObject' | 'tooDeep' | 'badId' | 'badCode',
    message: string,
  ) {
    super(message);
  }
}

/** Reads JSON from the wire; refuses nesting deeper than 32 levels. @throws EnvelopeError */
export function parseJson(payload: Uint8Array | string): Json {
  const text = typeof payload === 'string' ? payload : DECODER.decode(payload);
  assertShallow(text);
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw new EnvelopeError('notJson', 'the payload is not JSON');
  }
}

/**
 * Reads a request, tolerant as section J rows 9–11 say.
 * @throws EnvelopeError when it is not a JSON object or its id is unusable
 */
export function parseRequest(payload: Uint8Array | string): AlinkRequest {
  const body = asObject(parseJson(payload));
  const sys = body.sys;
  return {
    id: readId(body.id),
    params: emptyParams(body.params) ? {} : (body.params as Json),
    wantsReply: !(isJsonObject(sys) && (sys.ack === 0 || sys.ack === '0')),
    ...(typeof body.version === 'string' ? { version: body.version } : {}),
    ...(typeof body.method === 'string' ? { method: body.method } : {}),
    ...(body.data === undefined ? {} : { data: body.data }),
  };
}

/**
 * Reads an answer; `code` may be a number or text, `data` anything or absent (section J rows 12, 13).
 * @throws EnvelopeError when it is not a JSON object or has no id or code
 */
export function parseReply(payload: Uint8Array | string): AlinkReply {
  const body = asObject(parseJson(payload));
  const code = typeof body.code === 'string' && body.code.trim() !== '' ? Number(body.code) : body.code;
  if (typeof code !== 'number' || !Number.isFinite(code)) {
    throw new EnvelopeError('badCode', 'the answer has no code');
  }
  return {
    id: readId(body.id),
    code,
    data: body.data ?? {},
    ...(typeof body.message === 'string' ? { message: body.message } : {}),
    ...(typeof body.method === 'string' ? { method: body.method } : {}),
    ...(typeof body.version === 'string' ? { version: body.version } : {}),
  };
}

/**
 * Writes a request. `params` is JSON text already, because the thing model decides how numbers are written
 * (section J row 41).
 */
export function formatRequest(
  id: string,
  method: string | undefined,
  paramsJson: string,
  ack = true,
): string {
  const name = method === undefined ? '' : `,"method":${JSON.stringify(method)}`;
  return `{"id":${JSON.stringify(id)},"version":"1.0","sys":{"ack":${ack ? 1 : 0}},"params":${paramsJson}${name}}`;
}

/** Writes an answer; the id is echoed with the JSON type it came with. */
export function formatReply(
  id: string | number,
  code: number,
  data: Json,
  extra: { message?: string; method?: string; version?: string } = {},
): string {
  return JSON.stringify({ code, data, id, ...extra });
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function asObject(value: Json): JsonObject {
  if (!isJsonObject(value)) throw new EnvelopeError('notObject', 'the payload is not a JSON object');
  return value;
}

function readId(id: Json | undefined): string | number {
  if (typeof id === 'number' && Number.isFinite(id)) return id;
  // Empty too: C SDK 4 asks for the topology with the id of its last message, and with none when it is the first.
  if (typeof id === 'string' && id.length <= LONGEST_ID) return id;
  throw new EnvelopeError('badId', 'the message has no usable id');
}

function emptyParams(params: Json | undefined): boolean {
  return params === undefined || params === null || params === '{}' || params === '';
}

function assertShallow(text: string): void {
  let depth = 0;
  let inText = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (inText) {
      if (code === 92) i++;
      else if (code === 34) inText = false;
    } else if (code === 34) inText = true;
    else if (code === 123 || code === 91) {
      if (++depth > DEEPEST)
        throw new EnvelopeError('tooDeep', `the payload is nested deeper than ${DEEPEST} levels`);
    } else if (code === 125 || code === 93) depth--;
  }
}
