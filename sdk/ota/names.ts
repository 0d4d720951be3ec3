import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { type DeviceIdentity, utf8Length } from '../../protocol';

const LONGEST_BYTES = 120;
// Separators, what Windows forbids, controls, and marks that show text in another order than it is.
const FORBIDDEN = /[<>:"/\\|?*%\p{C}\p{Zl}\p{Zp}]+/gu;
/** Names of devices on Windows, with any ending. */
const RESERVED = /^(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])\s*(\.|$)/i;
const PLAIN = /^[a-z0-9][a-z0-9._-]*$/;
/** Endings of the packages that the platform takes (section D). */
const ENDING = /\.(tar\.gz|tar\.xz|bin|dav|tar|gz|zip|gzip|apk|pack)$/i;

/**
 * A name that is one file in one folder on every system, whatever it was made from: no separators, no `..`, no hidden
 * file, none of Windows' devices, at most 120 bytes.
 * @returns undefined when nothing is left of it
 */
export function safeName(text: string): string | undefined {
  const cleaned = text
    .slice(0, 1000)
    .normalize('NFC')
    .replace(FORBIDDEN, '_')
    .replace(/^[.\s]+/, '')
    .replace(/[.\s]+$/, '');
  const short = shorten(cleaned).replace(/[.\s]+$/, '');
  if (/^_*$/.test(short)) return undefined;
  return RESERVED.test(short) ? `_${short}` : short;
}

/** Names that differ also on disks that take upper and lower case for the same. */
export function distinctNames(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    let own = name;
    for (let count = 2; taken.has(folded(own)); count++) own = numbered(name, count);
    taken.add(folded(own));
    return own;
  });
}

/** A folder that stands for this text alone: where the text itself would not do, a digest tells it apart. */
export function folderName(text: string): string {
  const name = safeName(text) ?? '_';
  if (name === text && PLAIN.test(text)) return name;
  const digest = createHash('sha256').update(text).digest('hex').slice(0, 12);
  return `${safeName(shorten(name, 60)) ?? '_'}~${digest}`;
}

/** The folder of a thing among those of others. */
export function thingFolder({ productKey, deviceName }: DeviceIdentity): string {
  return folderName(`${productKey}+${deviceName}`);
}

/** A name for a file without one, with the ending of the address. */
export function madeUpName(module: string, version: string, url: string | undefined): string {
  const path = url?.split(/[?#]/, 1)[0] ?? '';
  const ending = ENDING.exec(basename(path))?.[0].toLowerCase() ?? '.bin';
  return `${safeName(`${module}-${version}`) ?? 'firmware'}${ending}`;
}

function numbered(name: string, count: number): string {
  const dot = name.indexOf('.');
  const [stem, ending] = dot <= 0 ? [name, ''] : [name.slice(0, dot), name.slice(dot)];
  return `${stem}-${count}${ending}`;
}

function folded(name: string): string {
  return name.normalize('NFKC').toLowerCase().toUpperCase();
}

function shorten(text: string, limit = LONGEST_BYTES): string {
  if (utf8Length(text) <= limit) return text;
  const ending = /\.[A-Za-z0-9.]{1,12}$/.exec(text)?.[0] ?? '';
  let stem = '';
  let bytes = utf8Length(ending);
  for (const character of text.slice(0, text.length - ending.length)) {
    bytes += utf8Length(character);
    if (bytes > limit) break;
    stem += character;
  }
  return stem + ending;
}
