import { type ClientRequest, type IncomingHttpHeaders, request } from 'node:http';
import type { Duplex } from 'node:stream';
import { openSocket } from '../session/stream';
import { type AllowedAddresses, allowedUrl, pathOf, redirectTarget } from './address';
import { HttpsError } from './error';
import { plainHost, proxyFor, tunnel } from './proxy';
import { StallWatch, type Take } from './stall-watch';

export interface GetOptions extends AllowedAddresses {
  /** Trusted besides Node.js's own roots. */
  ca: string | undefined;
  /** No byte for so long, ms. */
  stallMs: number;
  handshakeMs: number;
  signal: AbortSignal;
  /** Besides the usual ones. */
  headers?: Readonly<Record<string, string>>;
}

/** The answer of a server, its body not read yet. */
export interface HttpsAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  /** Reads the body, once; the connection ends with it, however. @throws HttpsError `passing`, whatever `take` throws */
  read(take: Take): Promise<void>;
  /** Ends the connection; for a body that nobody wants. */
  discard(): void;
}

const MOST_HOPS = 5;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * Asks for a file over HTTPS, through the proxy that the environment names. Each step of a redirect has to be allowed
 * like the first.
 * @returns any answer that is no redirect
 * @throws HttpsError; AlinkError of the network (`dns`, `unreachable`, `tls`, `handshakeTimeout`, `aborted`)
 */
export async function httpsGet(address: string, options: GetOptions): Promise<HttpsAnswer> {
  let next = address;
  for (let hop = 0; hop <= MOST_HOPS; hop++) {
    const answer = await getOnce(next, options);
    if (!REDIRECTS.has(answer.status)) return answer;
    answer.discard();
    const target = redirectTarget(answer.headers.location, next);
    if (target === undefined)
      throw new HttpsError('passing', 'httpsNowhere', 'the server sent us on without an address');
    next = target;
  }
  throw new HttpsError('gone', 'httpsRedirects', `the server sent us on more than ${MOST_HOPS} times`, {
    value: MOST_HOPS,
  });
}

async function getOnce(address: string, options: GetOptions): Promise<HttpsAnswer> {
  const url = allowedUrl(address, options);
  const { socket, path, authorization } = await connect(url, address, options);
  const asked = request({
    method: 'GET',
    path,
    createConnection: () => socket,
    signal: options.signal,
    headers: {
      host: url.host,
      accept: '*/*',
      // What is checked is the file, not a packed form of it.
      'accept-encoding': 'identity',
      'user-agent': 'node-red-contrib-alink',
      ...(authorization === undefined ? {} : { 'proxy-authorization': authorization }),
      ...options.headers,
    },
  });
  return answered(asked, socket, options.stallMs);
}

/** Opens the way, through the proxy of the environment if there is one. */
async function connect(
  url: URL,
  address: string,
  { ca, handshakeMs, signal }: GetOptions,
): Promise<{ socket: Duplex; path: string; authorization?: string | undefined }> {
  const secure = url.protocol === 'https:';
  const target = { host: plainHost(url.hostname), port: Number(url.port || (secure ? 443 : 80)) };
  const limits = { ca, handshakeMs, signal };
  const path = pathOf(address);
  const proxy = proxyFor(url);
  if (proxy === undefined) return { socket: await openSocket({ ...target, secure }, limits), path };
  if (secure) {
    const over = await tunnel(proxy, target, limits);
    return { socket: await openSocket({ ...target, secure, over }, limits), path };
  }
  const socket = await openSocket(proxy, limits);
  return { socket, path: `http://${url.host}${path}`, authorization: proxy.authorization };
}

function answered(asked: ClientRequest, socket: Duplex, stallMs: number): Promise<HttpsAnswer> {
  const watch = new StallWatch(socket, stallMs);
  return new Promise((resolve, reject) => {
    watch.arm();
    asked.on('response', (response) => {
      watch.disarm();
      watch.take(response);
      resolve({
        status: response.statusCode ?? 0,
        headers: response.headers,
        read: (take) => watch.read(take),
        discard: () => {
          response.destroy();
          socket.destroy();
        },
      });
    });
    const fail = (cause?: Error) => {
      watch.disarm();
      reject(watch.error(cause));
    };
    asked.on('error', fail);
    // An answer that wants to go on in another protocol ends the connection without an error.
    asked.on('close', () => fail());
    asked.end();
  });
}
