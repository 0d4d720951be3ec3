import type { CloudAction } from '../../protocol';

/** The body of an answer of the platform's API. */
export type AnswerBody = Readonly<Record<string, unknown>>;

/** What the flow gets: `Data` of the answer, or what the action is about, or all that the answer says. */
export function resultOf({ result }: CloudAction, body: AnswerBody): unknown {
  switch (result) {
    case 'rrpc':
      return readBytes(body.PayloadBase64Byte);
    case 'service':
      return readService(body.Data);
    case 'shadow':
      return readJson(body.ShadowMessage);
    case 'tags':
      return readJson(body.Props);
    default:
      return body.Data ?? restOf(body);
  }
}

/** Some actions answer beside `Data`, for example with a `MessageId` or a `DeviceStatusList`. */
function restOf({ RequestId, Success, Code, ErrorMessage, ...rest }: AnswerBody): object {
  return rest;
}

/** Why an answer is none that the caller wanted, by the name that the platform gives it. */
export function refusalOf(
  { result }: CloudAction,
  body: AnswerBody,
): { code: string; message: string } | undefined {
  if (body.Success === false) {
    return { code: textOf(body.Code, 'unknown'), message: textOf(body.ErrorMessage ?? body.Message, '') };
  }
  // RRPC succeeds as an action also when the device did not answer.
  if (result === 'rrpc' && body.RrpcCode !== 'SUCCESS') {
    return { code: textOf(body.RrpcCode, 'UNKNOWN'), message: '' };
  }
  return undefined;
}

/** Text when it is one, else bytes. */
function readBytes(base64: unknown): string | Buffer {
  const bytes = Buffer.from(typeof base64 === 'string' ? base64 : '', 'base64');
  const text = bytes.toString();
  return Buffer.from(text).equals(bytes) ? text : bytes;
}

function readService(data: unknown): unknown {
  const result: unknown = typeof data === 'object' && data !== null ? Reflect.get(data, 'Result') : undefined;
  // An asynchronous service has no result yet; the id tells which call it was.
  return typeof result === 'string' && result !== '' ? readJson(result) : data;
}

function readJson(text: unknown): unknown {
  if (typeof text !== 'string' || text === '') return {};
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function textOf(value: unknown, standard: string): string {
  return typeof value === 'string' && value !== '' ? value.slice(0, 500) : standard;
}
