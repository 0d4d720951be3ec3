import type { AlinkError, ErrorKey } from '../errors';

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

const NETWORK_RULES: Readonly<Partial<Record<ErrorKey, string>>> = {
  dns: 'httpsDns',
  unreachable: 'httpsUnreachable',
  tls: 'httpsTls',
  handshakeTimeout: 'httpsSilent',
};

/**
 * The same for an error of the network.
 * @returns the rule, undefined for what has none, and the values that its sentence names
 */
export function networkReason({ key, details }: AlinkError): {
  rule: string | undefined;
  values: Readonly<Record<string, string | number>>;
} {
  return { rule: NETWORK_RULES[key], values: { ...details, why: details.reason ?? '' } };
}

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
