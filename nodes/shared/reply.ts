import { toJson } from '../../protocol';
import type { RequestAnswer } from '../../sdk';
import { invalidInput } from './invalid-input';
import { encodePayload } from './payload';

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
  if (isBytes) return { payload: encodePayload(data ?? '', 'auto') };
  const json = toJson(data ?? {});
  if (!json.ok) {
    const field = json.path === '' ? 'data' : `data.${json.path}`;
    throw invalidInput('notJsonValue', `${field}: ${json.found} cannot be sent`, {
      field,
      value: json.found,
    });
  }
  return {
    code: isBlank(code) ? 200 : Number(code),
    data: json.value,
    ...(isBlank(message)
      ? {}
      : { message: typeof message === 'object' ? String(encodePayload(message, 'json')) : String(message) }),
  };
}

function isBlank(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === 'string' && value.trim() === '');
}
