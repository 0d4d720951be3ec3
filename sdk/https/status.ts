/** The address is not, or no longer, good: another one may be (G.2). */
const EXPIRED: ReadonlySet<number> = new Set([401, 403, 404, 410]);
/** Another time it may be another answer. */
const PASSING: ReadonlySet<number> = new Set([408, 425, 429]);

/**
 * What a status says of an address, if it is none of success. `expired`: worth another address. `passing`: worth another
 * try. `gone`: nothing will help.
 */
export function statusProblem(status: number): 'expired' | 'passing' | 'gone' {
  if (EXPIRED.has(status)) return 'expired';
  return status >= 500 || PASSING.has(status) ? 'passing' : 'gone';
}
