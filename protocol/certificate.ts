/** What a pasted device certificate may hold; every field is optional because consoles differ. */
export interface DeviceCertificate {
  productKey?: string;
  deviceName?: string;
  deviceSecret?: string;
  productSecret?: string;
  instanceId?: string;
  region?: string;
}

const FIELDS: ReadonlyArray<readonly [name: string, field: keyof DeviceCertificate]> = [
  ['product[ _]?key', 'productKey'],
  ['device[ _]?name', 'deviceName'],
  ['device[ _]?secret', 'deviceSecret'],
  ['product[ _]?secret', 'productSecret'],
  ['(?:iot[ _]?)?instance[ _]?id', 'instanceId'],
  ['region(?:[ _]?id)?', 'region'],
  ['设备名称', 'deviceName'],
  ['设备密钥', 'deviceSecret'],
  ['产品密钥', 'productSecret'],
  ['实例 ?ID', 'instanceId'],
];
const ANY_FIELD = new RegExp(
  `(?<![A-Za-z0-9])(?:${FIELDS.map(([name]) => `(${name})`).join('|')})(?![A-Za-z0-9_])`,
  'giu',
);
// A colon, an equals sign, a quote, a cell or line border, or the space of a `#define`; not a word of prose.
const VALUE = /^["'\\]*(?:\[[^\]\n]*\])?(?:[ \t]*[=:：\t\r\n"']|[ ]{2})[\s=:："'>\\]*([^\s"',;，；}{\\]+)/u;
const LONGEST_PASTE = 16_384;

/**
 * Reads the device certificate that the console's "copy" button gives: JSON, `Key: value` or `Key=value`
 * lines, cells separated by tabs or lines, source code with string constants; labels in English or Chinese.
 * Unknown keys are ignored, and so are secrets that the page shows as stars.
 * @param text whatever the user pasted
 * @returns the fields found; empty when there is none
 */
export function parseCertificate(text: string): DeviceCertificate {
  const found: DeviceCertificate = {};
  const clipped = text.slice(0, LONGEST_PASTE);
  const names = [...clipped.matchAll(ANY_FIELD)];
  names.forEach((match, i) => {
    const field = FIELDS[match.slice(1).findIndex((group) => group !== undefined)]?.[1];
    // A value ends where the next name begins, so that an empty one does not take the next line's.
    const rest = clipped.slice(match.index + match[0].length, names[i + 1]?.index);
    const value = VALUE.exec(rest)?.[1];
    if (field === undefined || value === undefined || found[field] !== undefined) return;
    if (!value.endsWith(':') && !/^[*•]+$/u.test(value)) found[field] = value;
  });
  return found;
}
