import { HttpsError, type HttpsRule } from './error';
import { plainHost } from './proxy';

/** Where files may come from. */
export interface AllowedAddresses {
  /** Host names, exact or `*.example.com`; any when absent. */
  hosts?: readonly string[] | undefined;
  /** Plain http is allowed only for an emulator. */
  allowHttp?: boolean | undefined;
}

/** @throws HttpsError `notAllowed` */
export function allowedUrl(address: string, { hosts, allowHttp }: AllowedAddresses): URL {
  // What cannot be read is not named: it may hold a signature.
  if (!URL.canParse(address)) throw notAllowed('?', 'httpsAddress', 'the address cannot be read');
  const url = new URL(address);
  const host = plainHost(url.hostname);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && allowHttp)) {
    throw notAllowed(host, 'httpsNeeded', 'https is needed');
  }
  if (hosts !== undefined && !hosts.some((pattern) => fits(pattern, host))) {
    throw notAllowed(host, 'httpsHost', 'this host is not among those allowed');
  }
  return url;
}

/** Path and query byte for byte as they came: a signature is over these characters (G.2). */
export function pathOf(address: string): string {
  const [, rest = ''] = /^https?:\/\/[^/?#]*([^#]*)/i.exec(address) ?? [];
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/** Where a redirect leads; undefined when it says nothing useful. */
export function redirectTarget(location: string | undefined, base: string): string | undefined {
  if (location === undefined || location.length > 8192) return undefined;
  if (/^https?:\/\/[!-~]+$/i.test(location)) return location;
  return URL.canParse(location, base) ? new URL(location, base).href : undefined;
}

/** Host names that both lists allow. */
export function commonHosts(some: readonly string[], others: readonly string[]): string[] {
  const common = some.flatMap((one) =>
    others.flatMap((other) => (fits(one, other) ? [other] : fits(other, one) ? [one] : [])),
  );
  return [...new Set(common)];
}

function fits(pattern: string, host: string): boolean {
  const [wanted, given] = [pattern, host].map((name) => name.trim().toLowerCase().replace(/\.$/, ''));
  if (wanted === undefined || given === undefined || wanted === '') return false;
  return wanted.startsWith('*.') ? given.endsWith(wanted.slice(1)) : given === wanted;
}

function notAllowed(host: string, rule: HttpsRule, reason: string): HttpsError {
  return new HttpsError('notAllowed', rule, reason, { host });
}
