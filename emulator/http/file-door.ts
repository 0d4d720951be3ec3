import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FileFault } from '../faults';
import { rangeOf } from '../files/file-server';
import type { ServedFile } from '../files/served-file';
import type { Platform } from '../platform';

const BLOCK_BYTES = 256 * 1024;
/** A slow answer is written in pieces of so many milliseconds. */
const DRIP_MS = 100;

const EXPIRED = { status: 403, code: 'AccessDenied', message: 'Request has expired.' };
const ALTERED = { status: 403, code: 'SignatureDoesNotMatch', message: 'SignatureDoesNotMatch' };
/** Why an address leads to no file. */
const NOT_OPENED = {
  expired: EXPIRED,
  wrongSignature: ALTERED,
  unknown: { status: 404, code: 'NoSuchKey', message: 'NoSuchKey' },
};

/** The part of a file that an answer holds, with what goes wrong in it. */
interface Part {
  file: ServedFile;
  offset: number;
  /** Behind its last byte. */
  end: number;
  cutAt: number | undefined;
  corruptAt: number | undefined;
  bytesPerSecond: number | undefined;
}

/** Answers requests for firmware and configuration files, with ranges, as object storage does. */
export async function answerFile(
  platform: Platform,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
): Promise<void> {
  const { method, headers } = request;
  request.resume();
  if (method !== 'GET' && method !== 'HEAD') return refuse(response, 405, 'MethodNotAllowed');
  const { files, faults } = platform;
  const opened = files.open(url);
  if (opened.kind !== 'file') {
    const { status, code, message } = NOT_OPENED[opened.kind];
    platform.exchanges.add({ kind: 'http', topic: url.pathname.slice(0, 256), code: status, note: code });
    return refuse(response, status, code, message);
  }
  const { file, productKey, deviceName } = opened;
  const identity = { productKey, deviceName };
  const strike: Strike = (action, fits) =>
    faults.strikeFile(action, identity, url.pathname, file.purpose, fits);
  const done = (status: number, offset: number, sentBytes: number, note?: string) => {
    const { purpose, name, content } = file;
    files.downloads.push({ ...identity, purpose, name, status, offset, sentBytes, time: platform.clock() });
    const range = `${offset}–${offset + sentBytes} of ${content.size} bytes`;
    platform.exchanges.add({
      kind: 'http',
      identity,
      topic: url.pathname,
      operation: purpose,
      code: status,
      note: note === undefined ? range : `${range} (${note})`,
    });
  };

  const refused = refusalOf(strike);
  if (refused !== undefined) {
    refuse(response, refused.status, refused.code, refused.message);
    return done(refused.status, 0, 0, `fault: ${refused.fault}`);
  }
  const redirect = strike('redirect');
  if (redirect !== undefined) {
    // A level of its own, so that it is another address.
    response.writeHead(302, { location: redirect.to ?? files.sign(`${url.pathname}/again`) });
    response.end();
    return done(302, 0, 0, 'fault: redirect');
  }

  const etag = `"${file.digest.toUpperCase()}"`;
  const { size } = file.content;
  const wanted =
    headers['if-range'] === undefined || headers['if-range'] === etag ? headers.range : undefined;
  const range = rangeOf(wanted, size);
  if (range === undefined) {
    response.writeHead(416, { 'content-range': `bytes */${size}`, 'content-length': 0 });
    response.end();
    return done(416, 0, 0);
  }
  const whole = range.partial && strike('ignoreRange') !== undefined;
  const offset = whole ? 0 : range.offset;
  const end = whole ? size : range.end;
  const status = range.partial && !whole ? 206 : 200;
  response.writeHead(status, {
    'content-type': 'application/octet-stream',
    'content-length': end - offset,
    'accept-ranges': 'bytes',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    etag,
    ...(status === 206 ? { 'content-range': `bytes ${offset}-${end - 1}/${size}` } : {}),
  });
  if (method === 'HEAD') {
    response.end();
    return done(status, offset, 0, 'HEAD');
  }
  const inside = (fault: { offset: number }) => fault.offset >= offset && fault.offset < end;
  const part: Part = {
    file,
    offset,
    end,
    // A request that starts there is one that goes on after the cut.
    cutAt: strike('cutAt', (fault) => inside(fault) && (fault.offset > offset || fault.offset === 0))?.offset,
    corruptAt: strike('corrupt', inside)?.offset,
    bytesPerSecond: strike('slow')?.bytesPerSecond,
  };
  const sent = await send(response, part);
  const broken = sent < end - offset;
  done(status, offset, sent, broken ? (part.cutAt === undefined ? 'broke off' : 'fault: cutAt') : undefined);
}

interface Refusal {
  status: number;
  code: string;
  message?: string;
  fault: string;
}

type Strike = <A extends FileFault['action']>(
  action: A,
  fits?: (fault: Extract<FileFault, { action: A }>) => boolean,
) => Extract<FileFault, { action: A }> | undefined;

function refusalOf(strike: Strike): Refusal | undefined {
  if (strike('urlExpired') !== undefined) return { ...EXPIRED, fault: 'urlExpired' };
  if (strike('urlAltered') !== undefined) return { ...ALTERED, fault: 'urlAltered' };
  const status = strike('status');
  return status && { status: status.status, code: 'ServiceUnavailable', fault: 'status' };
}

/** Writes as fast as it is read on the other side. @returns how many bytes were written */
async function send(response: ServerResponse, part: Part): Promise<number> {
  const { file, offset, cutAt, bytesPerSecond } = part;
  const stop = Math.min(part.end, cutAt ?? part.end);
  const piece =
    bytesPerSecond === undefined ? BLOCK_BYTES : Math.max(1, Math.floor((bytesPerSecond * DRIP_MS) / 1000));
  let at = offset;
  while (at < stop && !response.destroyed) {
    const bytes = spoil(file.content.read(at, Math.min(piece, stop - at)), at, part.corruptAt);
    // A file on disk that became shorter.
    if (bytes.length === 0) break;
    at += bytes.length;
    const flowing = response.write(bytes);
    if (bytesPerSecond !== undefined) await pause(response, (bytes.length / bytesPerSecond) * 1000);
    else if (!flowing) await drained(response);
  }
  if (at === part.end) response.end();
  // What was written before the cut shall arrive.
  else if (!response.destroyed) response.socket?.end(() => response.destroy());
  return at - offset;
}

function spoil(bytes: Uint8Array, at: number, corruptAt: number | undefined): Uint8Array {
  if (corruptAt === undefined || corruptAt < at || corruptAt >= at + bytes.length) return bytes;
  const copy = Uint8Array.from(bytes);
  copy[corruptAt - at] = (copy[corruptAt - at] ?? 0) ^ 0xff;
  return copy;
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.on('drain', done);
    response.on('close', done);
  });
}

function pause(response: ServerResponse, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      response.off('close', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    response.on('close', done);
  });
}

function refuse(response: ServerResponse, status: number, code: string, message = code): void {
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>\n`;
  response.writeHead(status, {
    'content-type': 'application/xml',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}
