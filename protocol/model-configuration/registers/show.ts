const LONGEST = 40;

/** Any value as a sentence can show it; never throws, whatever its `toString` is. */
export function show(value: unknown): string {
  const text =
    typeof value === 'string'
      ? JSON.stringify(value)
      : typeof value === 'object'
        ? typeof value
        : typeof value === 'function'
          ? 'function'
          : String(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}
