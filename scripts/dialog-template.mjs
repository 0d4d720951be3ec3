import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * The HTML of a node's dialog, with the parts that it shares with others in their place:
 * `<!-- include ../shared/editor/report-form.html -->`.
 * @param {string} file path of `editor.html`
 * @returns {string}
 */
export function readDialog(file) {
  return readFileSync(file, 'utf8').replaceAll(/[ \t]*<!-- include (\S+) -->\n/g, (_, part) =>
    readFileSync(join(dirname(file), part), 'utf8'),
  );
}
