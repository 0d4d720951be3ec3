/** A line of a table: what was measured, its aim, and whether it was met. */
export function row(
  title: string,
  level: number | string,
  measured: number,
  sign: '≥' | '≤',
  aim: number,
): string[] {
  const met = sign === '≥' ? measured >= aim : measured <= aim;
  return [
    title,
    String(level),
    measured.toFixed(measured < 10 ? 2 : 0),
    `${sign} ${aim}`,
    met ? 'met' : 'MISSED',
  ];
}

/** Prints a table as Markdown, so that it can go into a document as it is. */
export function table(head: readonly string[], lines: ReadonlyArray<readonly string[]>): void {
  const widths = head.map((title, i) =>
    Math.max(title.length, ...lines.map((line) => (line[i] ?? '').length)),
  );
  const print = (cells: readonly string[]) =>
    console.log(
      `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join(' | ')} |`,
    );
  print(head);
  console.log(
    `|${widths.map((width, i) => (i === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`,
  );
  for (const line of lines) print(line);
  console.log('');
}
