import { request } from 'node:http';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { openSocket, type StreamOptions } from '../session/stream';
import { TimeLimit } from '../time-limit';
import { HttpsError } from './error';

/** A proxy for HTTP. */
export interface Proxy {
  host: string;
  port: number;
  /** TLS to the proxy itself. */
  secure: boolean;
  /** Value of `Proxy-Authorization`; a secret. */
  authorization: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy that the environment names for an address: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`, in lower
 * case first, as curl and Node.js read them. None for this machine itself, where an emulator is: no proxy gets there.
 * @throws HttpsError `gone` for one that cannot be used
 */
export function proxyFor(url: URL, environment: Environment = process.env): Proxy | undefined {
  if (isLoopback(plainHost(url.hostname)) || isExempt(url, named(environment, 'no_proxy'))) return undefined;
  const scheme = url.protocol === 'https:' ? 'https_proxy' : 'http_proxy';
  const text = named(environment, scheme) || named(environment, 'all_proxy');
  if (text === '') return undefined;
  const address = text.includes('://') ? text : `http://${text}`;
  const proxy = URL.canParse(address) ? new URL(address) : undefined;
  if (proxy === undefined || (proxy.protocol !== 'http:' && proxy.protocol !== 'https:')) {
    throw new HttpsError(
      'gone',
      'httpsProxy',
      'the proxy of the environment is not an http or https address',
    );
  }
  const secure = proxy.protocol === 'https:';
  const { username, password } = proxy;
  const credentials = `${decoded(username)}:${decoded(password)}`;
  return {
    host: plainHost(proxy.hostname),
    port: Number(proxy.port || (secure ? 443 : 80)),
    secure,
    authorization: username === '' ? undefined : `Basic ${Buffer.from(credentials).toString('base64')}`,
  };
}

/** A way through the proxy to a server (CONNECT). @throws HttpsError `passing`, AlinkError of the network */
export async function tunnel(
  proxy: Proxy,
  target: { host: string; port: number },
  options: StreamOptions,
): Promise<Duplex> {
  const socket = await openSocket(proxy, options);
  const authority = `${target.host.includes(':') ? `[${target.host}]` : target.host}:${target.port}`;
  const limit = new TimeLimit(options.signal, options.handshakeMs);
  return new Promise<Duplex>((resolve, reject) => {
    const connect = request({
      method: 'CONNECT',
      path: authority,
      createConnection: () => socket,
      signal: limit.signal,
      headers: {
        host: authority,
        ...(proxy.authorization === undefined ? {} : { 'proxy-authorization': proxy.authorization }),
      },
    });
    const fail = (reason: string) => {
      socket.destroy();
      const value = `${proxy.host}:${proxy.port}`;
      reject(new HttpsError('passing', 'httpsProxyFailed', `the proxy ${value} ${reason}`, { value }));
    };
    connect.on('connect', ({ statusCode = 0 }, _, head: Buffer) => {
      if (statusCode < 200 || statusCode > 299) fail(`answered ${statusCode}`);
      else if (head.length > 0) fail('sent more than its answer');
      else resolve(socket);
    });
    connect.on('response', ({ statusCode = 0 }) => fail(`answered ${statusCode}`));
    connect.on('error', () => fail('did not answer'));
    connect.end();
  }).finally(() => limit.end());
}

/** A host name as sockets want it: without the brackets of an IPv6 address. */
export function plainHost(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '');
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a percent sign that stands for itself
  }
}

function named(environment: Environment, name: string): string {
  return (environment[name] || environment[name.toUpperCase()] || '').trim();
}

function isLoopback(host: string): boolean {
  return (
    host === 'localhost' || host.endsWith('.localhost') || host === '::1' || /^127(\.\d+){3}$/.test(host)
  );
}

function isExempt({ hostname, port, protocol }: URL, list: string): boolean {
  const host = plainHost(hostname).toLowerCase();
  const own = port || (protocol === 'https:' ? '443' : '80');
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => {
      if (entry === '*') return true;
      const [, name = entry, only] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? [];
      if (entry === host) return true;
      if (only !== undefined && only !== own) return false;
      const bare = plainHost(name).replace(/^\*?\./, '');
      return bare !== '' && (host === bare || (isIP(host) === 0 && host.endsWith(`.${bare}`)));
    });
}
