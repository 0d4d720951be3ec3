const SHANGHAI_OFFSET_MS = 8 * 3_600_000;

/** `2026-01-01T00:00:00.000Z`; empty when it never was. */
export function utcTime(time: number | undefined): string {
  return time === undefined ? '' : new Date(time).toISOString();
}

/** `2026-01-01 08:00:00`: the platform prints these in Beijing time without a zone. */
export function localTime(time: number | undefined): string {
  if (time === undefined) return '';
  return new Date(time + SHANGHAI_OFFSET_MS).toISOString().slice(0, 19).replace('T', ' ');
}

/** `2026-01-01 08:00:00.000`, as messages to applications have it. */
export function localTimeMs(time: number): string {
  return new Date(time + SHANGHAI_OFFSET_MS).toISOString().slice(0, 23).replace('T', ' ');
}
