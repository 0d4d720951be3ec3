import assert from 'node:assert/strict';
import { resolve, win32 } from 'node:path';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { distinctNames, folderName, safeName, thingFolder } from '../../../../sdk/ota/names';

const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.string({ unit: 'grapheme', maxLength: 300 }),
  fc
    .array(
      fc.constantFrom(
        '..',
        '.',
        '/',
        '\\',
        ':',
        'con',
        'NUL',
        'com1',
        '.txt',
        ' ',
        '%2f',
        'a',
        '\u0000',
        '\u202e',
        '~',
        '~1',
      ),
    )
    .map((parts) => parts.join('')),
);

const DEVICES = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)/i;

function assertSafe(name: string): void {
  assert.ok(name !== '' && Buffer.byteLength(name) <= 140, name);
  assert.equal(resolve('/base', name), `/base/${name}`);
  assert.equal(win32.resolve('C:\\base', name), `C:\\base\\${name}`);
  assert.doesNotMatch(name, /^\.|[. ]$|[<>:"/\\|?*%]|\p{Cc}/u);
  assert.doesNotMatch(name, DEVICES);
  assert.doesNotMatch(name, /\p{Cs}/u);
}

describe('names of files of firmware', () => {
  it('keep what can be kept', () => {
    for (const name of ['firmware.bin', 'Gateway v2 (final).tar.gz', '固件-1.0.bin', 'a-b_c.1']) {
      assert.equal(safeName(name), name);
    }
  });

  it('never leave their folder, on no system', () => {
    const cases: Array<[string, string | undefined]> = [
      ['../../etc/passwd', '_.._etc_passwd'],
      ['..', undefined],
      ['...', undefined],
      ['/', undefined],
      ['', undefined],
      ['C:\\Windows\\x', 'C_Windows_x'],
      ['.bashrc', 'bashrc'],
      ['nul', '_nul'],
      ['Com1.tar.gz', '_Com1.tar.gz'],
      ['a.bin.', 'a.bin'],
      ['a\u0000.bin', 'a_.bin'],
      ['file::$DATA', 'file_$DATA'],
    ];
    for (const [given, expected] of cases) assert.equal(safeName(given), expected, JSON.stringify(given));
    fc.assert(
      fc.property(hostile, (text) => {
        const name = safeName(text);
        if (name !== undefined) assertSafe(name);
      }),
      { numRuns: 3000 },
    );
  });

  it('keep their ending when they are cut', () => {
    const name = safeName(`${'固'.repeat(200)}.tar.gz`);
    assert.ok(name?.endsWith('固.tar.gz') && Buffer.byteLength(name) <= 120);
  });

  it('differ on disks that fold letters', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('a.bin', 'A.bin', 'a-2.bin', 'A-2.BIN', 'b'), { maxLength: 12 }),
        (names) => {
          const folded = distinctNames(names).map((name) => name.toLowerCase());
          assert.equal(new Set(folded).size, names.length);
        },
      ),
    );
  });
});

describe('folders of firmware', () => {
  it('are those of one text alone, safe, and plain where the text is', () => {
    assert.equal(folderName('default'), 'default');
    assert.equal(folderName('1.0.1'), '1.0.1');
    for (const text of ['MCU', '..', 'con', 'a/b', '', ' ']) assert.match(folderName(text), /~[0-9a-f]{12}$/);
    assert.notEqual(folderName('MCU').toLowerCase(), folderName('mcu'));
    fc.assert(
      fc.property(hostile, hostile, (a, b) => {
        assertSafe(folderName(a));
        if (a !== b) assert.notEqual(folderName(a).toLowerCase(), folderName(b).toLowerCase());
      }),
      { numRuns: 2000 },
    );
    const things = [
      { productKey: 'a', deviceName: 'b' },
      { productKey: 'A', deviceName: 'b' },
    ].map(thingFolder);
    assert.notEqual(things[0]?.toLowerCase(), things[1]?.toLowerCase());
  });
});
