const GRID = 20;
const LEAST = 100;
/** Icon and margins. */
const BESIDES_LABEL = 50;
const INPUT = 7;
const NARROW = 5;
const USUAL = 7.4;
const WIDE = 11;
const FULL = 14;

/** Types without an input that stand on a canvas here. */
const WITHOUT_INPUT = /^(comment|inject|catch|link in|alink-(lifecycle|property-set|service-in))$/;
/** What the editor adds to the name of a node that repeats, and does so once at the start. */
const REPEATED = ' ↻ ¹';

/**
 * How wide the editor draws a node, about: it measures the label in its own font and rounds up to the grid.
 * @returns pixels, a multiple of 20
 */
export function widthOf({ type, name }: { type: string; name?: unknown }): number {
  const text = typeof name === 'string' && name !== '' ? name : type;
  const label = type === 'inject' ? `${text}${REPEATED}` : text;
  let width = BESIDES_LABEL + (WITHOUT_INPUT.test(type) ? 0 : INPUT);
  for (const letter of label) width += widthOfLetter(letter);
  return Math.max(LEAST, Math.ceil(width / GRID) * GRID);
}

function widthOfLetter(letter: string): number {
  if (letter > '\u2e7f') return FULL;
  if (/[ijlrtfI1 .,:;'|()]/.test(letter)) return NARROW;
  return /[mwMW]/.test(letter) ? WIDE : USUAL;
}
