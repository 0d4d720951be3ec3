import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { explainCode, isJsonObject, type JsonObject, parseJson } from '../../protocol';
import { AlinkError } from '../errors';
import { networkError } from '../session/network-error';
import { trustOf } from '../session/trust';
import { TimeLimit } from '../time-limit';

const LARGEST_ANSWER = 64 * 1024;

export interface FormPost {
  url: string;
  form: Readonly<Record<string, string>>;
  ca?: string | undefined;
  signal: AbortSignal;
  /** For the whole exchange, milliseconds. */
  limitMs: number;
  /** Which key errors of the platform carry. */
  errorKey: 'registrationFailed' | 'authenticationFailed';
}

/**
 * Posts a form to the platform's authentication door and gives back `data` of a 200 answer (A.6, A.8).
 * @throws AlinkError of the network, or with the platform's code
 */
export async function postForm(post: FormPost): Promise<JsonObject> {
  const body = parseAnswer(await send(post), post.errorKey);
  const code = Number(body.code);
  if (code === 200 && isJsonObject(body.data)) return body.data;
  const explanation = explainCode(code)?.en ?? 'no explanation is known';
  throw new AlinkError(post.errorKey, `the platform answered ${code}: ${explanation}`, {
    ...(Number.isFinite(code) ? { code } : {}),
    ...(typeof body.message === 'string' ? { platformMessage: body.message.slice(0, 500) } : {}),
    retry: explainCode(code)?.retry === 'no' ? 'no' : 'slow',
    details: { reason: explanation },
  });
}

function parseAnswer(text: string, errorKey: FormPost['errorKey']): JsonObject {
  try {
    const body = parseJson(text);
    if (isJsonObject(body)) return body;
  } catch {
    // named below: what came was not the platform's
  }
  const reason = 'the answer is not JSON: is the address right?';
  throw new AlinkError(errorKey, reason, { retry: 'slow', details: { reason } });
}

function send({ url, form, ca, signal, limitMs }: FormPost): Promise<string> {
  const target = new URL(url);
  const secure = target.protocol === 'https:';
  const host = target.hostname;
  const port = Number(target.port || (secure ? 443 : 80));
  const body = new URLSearchParams(form).toString();
  const limit = new TimeLimit(signal, limitMs);
  return new Promise<string>((resolve, reject) => {
    const request = (secure ? httpsRequest : httpRequest)(
      target,
      {
        method: 'POST',
        agent: false,
        signal: limit.signal,
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          'content-length': Buffer.byteLength(body),
        },
        ...(secure ? { secureContext: trustOf(ca) } : {}),
        // Also when the environment says otherwise.
        rejectUnauthorized: true,
      },
      (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > LARGEST_ANSWER) request.destroy(new Error('the answer is too large'));
          else chunks.push(chunk);
        });
        response.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
        response.on('error', (error) => reject(failure(error, host, port, signal, limitMs)));
      },
    );
    request.on('error', (error) => reject(failure(error, host, port, signal, limitMs)));
    request.end(body);
  }).finally(() => limit.end());
}

function failure(error: Error, host: string, port: number, signal: AbortSignal, limitMs: number): AlinkError {
  if (signal.aborted) return new AlinkError('aborted', 'the request was given up');
  if (error.name === 'AbortError') {
    const seconds = limitMs / 1000;
    return new AlinkError('registrationTimeout', `${host}:${port} did not answer within ${seconds} s`, {
      retry: 'slow',
      details: { host, port, seconds },
    });
  }
  return networkError(error, { host, port });
}
