/**
 * Why nothing could be loaded from an address. `notAllowed`: it was not asked, or sent us on to where we do not go.
 * `passing`: worth another try. `gone`: nothing will help.
 */
export type HttpsProblem = 'notAllowed' | 'passing' | 'gone';

/** Neither message nor host ever hold path or query: they may be a signature. */
export class HttpsError extends Error {
  override readonly name = 'HttpsError';
  /** Of the address that is not allowed. */
  readonly host: string;

  constructor(
    readonly problem: HttpsProblem,
    message: string,
    { host = '', ...options }: ErrorOptions & { host?: string } = {},
  ) {
    super(message, options);
    this.host = host;
  }
}
