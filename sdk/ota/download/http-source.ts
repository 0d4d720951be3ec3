import { allowedUrl } from '../../https/address';
import { HttpsError } from '../../https/error';
import { type GetOptions, type HttpsAnswer, httpsGet } from '../../https/get';
import { statusProblem } from '../../https/status';
import { failure } from '../failure';
import type { FirmwareFile } from '../types';
import { type OpenSource, type Source, SourceError, type SourceProblem } from './source';

/** Files over HTTPS, from where they were left (G.4). */
export class HttpSource implements Source {
  constructor(private readonly options: Omit<GetOptions, 'signal' | 'headers'>) {}

  /** @throws AlinkError `firmwareNotAllowed` before anything is asked */
  check({ url = '' }: FirmwareFile): void {
    try {
      allowedUrl(url, this.options);
    } catch (thrown) {
      throw asSourceError(thrown);
    }
  }

  async open(file: FirmwareFile, offset: number, signal: AbortSignal): Promise<OpenSource> {
    const headers: Record<string, string> = offset > 0 ? { range: `bytes=${offset}-` } : {};
    let answer: HttpsAnswer;
    try {
      answer = await httpsGet(file.url ?? '', { ...this.options, signal, headers });
    } catch (thrown) {
      throw asSourceError(thrown);
    }
    try {
      return { offset: startOf(answer, file.size, offset), read: answer.read };
    } catch (thrown) {
      answer.discard();
      throw thrown;
    }
  }
}

/** What a failure of the network or of the server means for a download; anything else as it is. */
export function asSourceError(thrown: unknown): unknown {
  if (!(thrown instanceof HttpsError)) return thrown;
  const { problem, rule, message, host, value } = thrown;
  if (problem !== 'notAllowed')
    return new SourceError(problem, rule, message, { values: { value }, cause: thrown });
  return failure('firmwareNotAllowed', -2, `${host}: ${message}`, {
    details: { host, reason: message, rule },
  });
}

/** Looks at what the server is about to send. @throws SourceError */
function startOf({ status, headers }: HttpsAnswer, size: number, asked: number): number {
  if (status === 416) throw otherPart('the server cannot go on from there');
  if (status !== 200 && status !== 206) throw answered(statusProblem(status), status);
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity')
    throw new SourceError('wrong', 'documentPacked', 'the server sent the file in a packed form');
  const offset = status === 200 ? 0 : rangeStart(headers['content-range'], size);
  if (offset !== 0 && offset !== asked) throw otherPart('the server sent another part');
  const { 'content-length': length } = headers;
  if (length !== undefined && Number(length) !== size - offset) {
    throw otherSize(Number(length) + offset, size);
  }
  return offset;
}

function rangeStart(value: string | undefined, size: number): number {
  const [, first, last, total] = /^bytes (\d{1,16})-(\d{1,16})\/(\d{1,16}|\*)$/.exec(value ?? '') ?? [];
  if (first === undefined) throw otherPart('the server does not tell which part it sent');
  if (total !== '*' && Number(total) !== size) {
    throw otherSize(Number(total), size);
  }
  if (Number(last) !== size - 1) throw otherPart('the server sent another part');
  return Number(first);
}

function answered(problem: SourceProblem, status: number): SourceError {
  return new SourceError(problem, 'documentStatus', `the server answered ${status}`, { values: { status } });
}

function otherPart(reason: string): SourceError {
  return new SourceError('range', 'fileRange', reason);
}

function otherSize(size: number, expected: number): SourceError {
  const values = { size, expected };
  return new SourceError('wrong', 'documentSize', `the server has ${size} bytes instead of ${expected}`, {
    values,
  });
}
