import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Platform } from '../platform';
import { readBody } from './body';

const FORM_BYTES = 64 * 1024;
const MOST_PARTS = 20;
const HEAD_END = Buffer.from('\r\n\r\n');

/** Takes a file that was granted. @throws BodyError when it is too large or broke off */
export async function acceptFirmware(
  platform: Platform,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const end = (status: number, code: string) => {
    const body = status < 300 ? '' : `<Error><Code>${code}</Code><Message>${code}</Message></Error>`;
    response.writeHead(status, {
      'content-type': 'application/xml',
      'content-length': Buffer.byteLength(body),
    });
    response.end(body);
  };
  const [, quoted, plain] =
    /^multipart\/form-data;.*boundary=(?:"([^"]{1,70})"|([^;\s]{1,70}))/i.exec(
      request.headers['content-type'] ?? '',
    ) ?? [];
  const boundary = quoted ?? plain;
  const form = boundary !== undefined && request.method === 'POST';
  const body = await readUpload(platform, request, form);
  if (body === undefined) return end(403, 'QuotaExceeded');
  if (!form || body.length === 0) return end(400, 'MalformedPOSTRequest');
  const { fields, file } = readForm(body, boundary);
  if (file === undefined) return end(400, 'IncorrectNumberOfFilesInPOSTRequest');
  const refused = platform.firmwareUploads.accept(fields, file);
  if (refused !== undefined) return end(403, refused);
  const wanted = Number(fields.get('success_action_status'));
  end(wanted === 200 || wanted === 201 ? wanted : 204, '');
}

/**
 * Reads a body as large as it says that it is. What comes counts as kept meanwhile: whether somebody may post is known only
 * when all of it is there.
 * @param wanted false: it has to be empty
 * @returns undefined when there is no room for it
 * @throws BodyError when it is larger than it said, or broke off
 */
export async function readUpload(
  platform: Platform,
  request: IncomingMessage,
  wanted = true,
): Promise<Buffer | undefined> {
  const length = Number(request.headers['content-length']);
  const most = wanted && length > 0 ? length : 0;
  if (!platform.firmwareBudget.claim(most)) {
    request.resume();
    return undefined;
  }
  try {
    return await readBody(request, most);
  } finally {
    platform.firmwareBudget.release(most);
  }
}

/** Parts of a form: texts by their name in lower case, and the bytes of the file. */
function readForm(body: Buffer, boundary: string): { fields: Map<string, string>; file: Buffer | undefined } {
  const fields = new Map<string, string>();
  const delimiter = Buffer.from(`--${boundary}`);
  let at = body.indexOf(delimiter);
  for (let i = 0; i < MOST_PARTS && at >= 0; i++) {
    const start = at + delimiter.length + 2;
    const headEnd = body.indexOf(HEAD_END, start);
    at = body.indexOf(Buffer.from(`\r\n--${boundary}`), start);
    if (headEnd < 0 || at < headEnd) break;
    const content = body.subarray(headEnd + HEAD_END.length, at);
    at += 2;
    const [, name = ''] = /name="([^"]{1,100})"/i.exec(body.toString('latin1', start, headEnd)) ?? [];
    if (name === 'file') return { fields, file: content };
    if (content.length <= FORM_BYTES) fields.set(name.toLowerCase(), content.toString());
  }
  return { fields, file: undefined };
}
