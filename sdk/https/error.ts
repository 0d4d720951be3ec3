import type { ErrorKey } from '../errors';

/**
 * Why nothing could be loaded from an address. `notAllowed`: it was not asked, or sent us on to where we do not go.
 * `passing`: worth another try. `gone`: nothing will help.
 */
export type HttpsProblem = 'notAllowed' | 'passing' | 'gone';

/** Which reason it is, for whoever says it in another language. */
export type HttpsRule =
  | 'httpsAddress'
  | 'httpsNeeded'
  | 'httpsHost'
  | 'httpsNowhere'
  | 'httpsRedirects'
  | 'httpsProxy'
  | 'httpsProxyFailed'
  | 'httpsStalled'
  | 'httpsCut';

/** The same for errors of the network, by their keys. */
export const NETWORK_RULES: Readonly<Partial<Record<ErrorKey, string>>> = {
  dns: 'httpsDns',
  unreachable: 'httpsUnreachable',
  tls: 'httpsTls',
  handshakeTimeout: 'httpsSilent',
};

/** Neither message nor host ever hold path or query: they may be a signature. */
export class HttpsError extends Error {
  override readonly name = 'HttpsError';
  /** Of the address that is not allowed. */
  readonly host: string;
  /** What the rule says it of. */
  readonly value: string | number;

  constructor(
    readonly problem: HttpsProblem,
    readonly rule: HttpsRule,
    message: string,
    { host = '', value = '', ...options }: ErrorOptions & { host?: string; value?: string | number } = {},
  ) {
    super(message, options);
    this.host = host;
    this.value = value;
  }
}
