import type { RequestAnswer } from '../../sdk';
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

/**
 * Makes an answer of what a flow gives. Whether the data can be sent is checked where it is sent: the payload of a message
 * is also there when a configuration is answered, which has none.
 * @throws AlinkError `invalidInput` for bytes that are none
 */
export function toAnswer({ code, message, data, isBytes }: ReplyInput): RequestAnswer {
  if (isBytes) return { payload: encodePayload(data ?? '', 'auto') };
  return {
    code: isBlank(code) ? 200 : Number(code),
    data: data ?? {},
    ...(isBlank(message)
      ? {}
      : { message: typeof message === 'object' ? String(encodePayload(message, 'json')) : String(message) }),
  };
}

function isBlank(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === 'string' && value.trim() === '');
}
