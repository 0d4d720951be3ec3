/** The decimal number with the fewest digits that is stored as this float: 21.3, not 21.299999237060547. */
export function shortest(value: number): number {
  for (let digits = 6; digits <= 9 && Number.isFinite(value); digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return value;
}
