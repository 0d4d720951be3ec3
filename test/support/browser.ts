import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { type Browser, chromium } from 'playwright-core';

// The browser package's own list is for servers that draw other people's pages: it turns web security off.
const ARGUMENTS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const WEIGHTS = [400, 700];

/** Starts headless Chromium with fonts for Latin and Chinese text, the same on every machine. */
export async function launchBrowser(): Promise<Browser> {
  const { default: binary } = await import('@sparticuz/chromium');
  // Unpacks the browser, its libraries and a Latin font into the temporary directory.
  const executablePath = await binary.executablePath();
  const folder = mkdtempSync(join(tmpdir(), 'alink-browser-'));
  const environment = Object.entries(process.env).filter((entry): entry is [string, string] => !!entry[1]);
  const browser = await chromium.launch({
    args: ARGUMENTS,
    executablePath,
    headless: true,
    env: { ...Object.fromEntries(environment), FONTCONFIG_FILE: prepareFonts(folder) },
  });
  browser.once('disconnected', () => rmSync(folder, { recursive: true, force: true }));
  return browser;
}

/** Without a Chinese font every character is the same box, narrower than what users see. */
function prepareFonts(folder: string): string {
  const chinese = join(folder, 'fonts');
  mkdirSync(chinese);
  const source = join(dirname(require.resolve('@fontsource/noto-sans-sc/package.json')), 'files');
  for (const weight of WEIGHTS) {
    const name = `noto-sans-sc-chinese-simplified-${weight}-normal`;
    writeFileSync(join(chinese, `${name}.ttf`), unwrapWoff(readFileSync(join(source, `${name}.woff`))));
  }
  const file = join(folder, 'fonts.conf');
  const folders = [join(tmpdir(), 'fonts'), chinese].map((path) => `<dir>${path}</dir>`).join('');
  const cache = `<cachedir>${join(folder, 'cache')}</cachedir>`;
  writeFileSync(file, `<?xml version="1.0"?><fontconfig>${folders}${cache}</fontconfig>`);
  return file;
}

/**
 * The font inside a WOFF 1.0 file (https://www.w3.org/TR/WOFF/); Chromium takes no wrapped fonts from the system.
 * @returns a TrueType or OpenType file
 */
function unwrapWoff(woff: Buffer): Buffer {
  const count = woff.readUInt16BE(12);
  const header = Buffer.alloc(12 + 16 * count);
  const exponent = Math.floor(Math.log2(count));
  woff.copy(header, 0, 4, 8);
  header.writeUInt16BE(count, 4);
  header.writeUInt16BE(16 << exponent, 6);
  header.writeUInt16BE(exponent, 8);
  header.writeUInt16BE(16 * count - (16 << exponent), 10);
  const parts: Buffer[] = [header];
  let offset = header.length;
  for (let i = 0; i < count; i += 1) {
    const from = 44 + 20 * i;
    const start = woff.readUInt32BE(from + 4);
    const packed = woff.readUInt32BE(from + 8);
    const length = woff.readUInt32BE(from + 12);
    const data = woff.subarray(start, start + packed);
    const to = 12 + 16 * i;
    woff.copy(header, to, from, from + 4);
    woff.copy(header, to + 4, from + 16, from + 20);
    header.writeUInt32BE(offset, to + 8);
    header.writeUInt32BE(length, to + 12);
    const padding = Buffer.alloc((4 - (length % 4)) % 4);
    parts.push(packed < length ? inflateSync(data) : data, padding);
    offset += length + padding.length;
  }
  return Buffer.concat(parts);
}
