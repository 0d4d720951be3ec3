import { toJson } from '../../protocol';
import { AlinkError, type RequestAnswer } from '../../sdk';

/** What a flow wants to answer, as it stands in dialog and message. */
export interface ReplyInput {
  /** Blank, null or undefined: 200. */
  code?: unknown;
  message?: unknown;
  data: unknown;
  /** The request was bytes, so there is no envelope for code and message. */
  isBytes: boolean;
}

/** Makes an answer of what a flow gives. @throws AlinkError `invalidInput` for what cannot be sent at all */
export function toAnswer({ code, message, data, isBytes }: ReplyInput): RequestAnswer {
  if (isBytes) return { payload: toPayload(data) };
  const json = toJson(data ?? {});
  if (!json.ok)
    throw invalid(json.path === '' ? 'data' : `data.${json.path}`, `${json.found} cannot be sent`);
  return {
    code: isBlank(code) ? 200 : Number(code),
    data: json.value,
    ...(isBlank(message) ? {} : { message: typeof message === 'object' ? toText(message) : String(message) }),
  };
}

/** Bytes and text as they are, a buffer that went through JSON as the buffer it was, anything else as JSON text. */
function toPayload(data: unknown): Uint8Array | string {
  if (data === undefined || data === null) return '';
  if (data instanceof Uint8Array || typeof data === 'string') return data;
  if (isBufferJson(data)) return Buffer.from(data.data);
  return toText(data);
}

function isBufferJson(value: unknown): value is { type: 'Buffer'; data: number[] } {
  if (typeof value !== 'object' || value === null) return false;
  const { type, data } = value as Record<string, unknown>;
  return type === 'Buffer' && Array.isArray(data) && data.every((byte) => Number.isInteger(byte));
}

function toText(value: unknown): string {
  const json = toJson(value);
  if (!json.ok) throw invalid('payload', `${json.found} cannot be sent`);
  return JSON.stringify(json.value);
}

function isBlank(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === 'string' && value.trim() === '');
}

function invalid(field: string, reason: string): AlinkError {
  const text = `${field}: ${reason}`;
  return new AlinkError('invalidInput', text, { details: { field, reason: text } });
}
