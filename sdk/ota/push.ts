import { isJsonObject, type Json, parseJson } from '../../protocol';

/** What came on one of the topics of offers (B.6 rows 81, 83). */
export type PushedMessage =
  | { is: 'offer'; id: string | undefined; data: Json | undefined }
  | { is: 'refusal'; id: string | undefined; code: number; message: string | undefined; reason: string }
  | { is: 'other'; reason: string };

/** Codes of success: the push has a text, other answers a number (J row 13). */
const SUCCESS: ReadonlySet<number> = new Set([1000, 200]);

/** Reads the envelope of an offer, which is one of its own: code as text, id as number. Never throws. */
export function readPush(payload: Uint8Array): PushedMessage {
  let body: Json;
  try {
    body = parseJson(payload);
  } catch (thrown) {
    return { is: 'other', reason: thrown instanceof Error ? thrown.message : String(thrown) };
  }
  if (!isJsonObject(body)) return { is: 'other', reason: 'the payload is not a JSON object' };
  const { code, data, message } = body;
  const id = typeof body.id === 'string' || typeof body.id === 'number' ? String(body.id) : undefined;
  // A plain broker sends our own requests back to us (B.10).
  if (code === undefined && data === undefined)
    return { is: 'other', reason: 'it has neither code nor data' };
  const number = code === undefined || code === null || code === '' ? 200 : Number(code);
  if (SUCCESS.has(number)) return { is: 'offer', id, data };
  if (!Number.isFinite(number)) return { is: 'other', reason: 'its code is no number' };
  return {
    is: 'refusal',
    id,
    code: number,
    message: typeof message === 'string' ? message : undefined,
    reason: `the code is ${number}`,
  };
}
