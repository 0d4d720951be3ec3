import { parseJson, toJson } from '../../protocol';
import { invalidInput } from './invalid-input';

/** What becomes of a value on its way out; `auto` goes by its type. */
export type PayloadForm = 'auto' | 'buffer' | 'text' | 'json';

/** How text stands for bytes. */
export type BytesText = 'utf8' | 'hex' | 'base64';

// Ill-formed text would otherwise turn into replacement characters without a word.
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Reads a payload for a flow. @throws AlinkError `invalidInput` when it is not what was asked for */
export function decodePayload(payload: Uint8Array, form: PayloadForm): unknown {
  // A copy, because several nodes may get the same message and flows change what they are given.
  const bytes = Buffer.from(payload);
  switch (form) {
    case 'buffer':
      return bytes;
    case 'text':
      return bytes.toString('utf8');
    case 'json':
      try {
        return parseJson(UTF8.decode(bytes));
      } catch (cause) {
        throw invalidInput('notJsonText', `the payload is not JSON: ${reasonOf(cause)}`, {}, cause);
      }
    default:
      return detect(bytes);
  }
}

/** Objects and arrays as JSON, other text as text, the rest as bytes. */
function detect(bytes: Buffer): unknown {
  let text: string;
  try {
    text = UTF8.decode(bytes);
  } catch {
    return bytes;
  }
  if (!/^\s*[[{]/.test(text)) return text;
  try {
    return parseJson(text);
  } catch {
    return text; // looks like JSON and is none
  }
}

/** Makes what a flow gives ready to be sent. @throws AlinkError `invalidInput` */
export function encodePayload(value: unknown, form: PayloadForm): Uint8Array | string {
  if (value === undefined) throw invalidInput('nothingToSend', 'there is nothing to send');
  if (form === 'buffer') return toBytes(value, 'utf8');
  if (form === 'json') return toJsonText(value);
  const bytes = asBytes(value);
  if (bytes !== undefined) return form === 'text' ? Buffer.from(bytes).toString('utf8') : bytes;
  return typeof value === 'string' ? value : toJsonText(value);
}

/**
 * Bytes of a buffer, of one that went through JSON, of an array of 0–255, or of text.
 * @throws AlinkError `invalidInput`
 */
export function toBytes(value: unknown, text: BytesText): Uint8Array {
  if (typeof value === 'string') return fromText(value, text);
  const bytes = asBytes(value) ?? (Array.isArray(value) ? fromArray(value) : undefined);
  if (bytes === undefined) {
    throw invalidInput('notBytes', 'bytes are needed: a buffer, an array of 0–255, or text');
  }
  return bytes;
}

function fromText(value: string, form: BytesText): Uint8Array {
  if (form === 'utf8') return Buffer.from(value, 'utf8');
  // Blanks, colons and 0x are how people and devices write hexadecimal.
  const plain = form === 'hex' ? value.replace(/0x|[\s:,-]/gi, '') : value.replace(/\s/g, '');
  const fits = form === 'hex' ? /^([0-9a-f]{2})*$/i.test(plain) : isBase64(plain);
  if (!fits) {
    throw form === 'hex'
      ? invalidInput('notHex', 'the text is not hexadecimal')
      : invalidInput('notBase64', 'the text is not Base64');
  }
  return Buffer.from(plain, form);
}

function isBase64(text: string): boolean {
  const digits = text.replace(/={1,2}$/, '');
  return digits.length % 4 !== 1 && /^([A-Za-z0-9+/]*|[A-Za-z0-9_-]*)$/.test(digits);
}

function asBytes(value: unknown): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value;
  if (typeof value !== 'object' || value === null) return undefined;
  const { type, data } = value as Record<string, unknown>;
  return type === 'Buffer' && Array.isArray(data) ? fromArray(data) : undefined;
}

function fromArray(values: readonly unknown[]): Uint8Array | undefined {
  const fits = values.every((byte) => Number.isInteger(byte) && Number(byte) >= 0 && Number(byte) <= 255);
  return fits ? Uint8Array.from(values as readonly number[]) : undefined;
}

function toJsonText(value: unknown): string {
  const json = toJson(value);
  if (json.ok) return JSON.stringify(json.value);
  const field = json.path === '' ? 'payload' : `payload.${json.path}`;
  throw invalidInput('notJsonValue', `${field}: ${json.found} cannot be sent`, { field, value: json.found });
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message.slice(0, 200) : String(cause);
}
