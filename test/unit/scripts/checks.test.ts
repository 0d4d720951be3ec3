import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { describe, it } from 'mocha';

const SCRIPTS = resolve(__dirname, '..', '..', '..', 'scripts');

/** Runs a check on a project of these files only. */
function run(script: string, files: Readonly<Record<string, string>>): { code: number | null; text: string } {
  const project = mkdtempSync(join(tmpdir(), 'alink-checks-'));
  try {
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(join(project, name)), { recursive: true });
      writeFileSync(join(project, name), content);
    }
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(SCRIPTS, script), project], {
      encoding: 'utf8',
    });
    return { code: status, text: stdout + stderr };
  } finally {
    rmSync(project, { recursive: true, force: true });
  }
}

describe('check of import directions', () => {
  const wrong: ReadonlyArray<readonly [why: string, file: string, source: string]> = [
    ['an upper layer', 'sdk/a.ts', "import { E } from '../emulator/index.js';"],
    ['the other side', 'emulator/a.ts', "import { S } from '../sdk';"],
    ['an upper layer, in several lines', 'protocol/a.ts', "import {\n  A,\n  B,\n} from '../sdk/index.js';"],
    ['an upper layer, for types only', 'sdk/a.ts', "import type { E } from '../emulator';"],
    ['a type among values', 'sdk/a.ts', "import { type E } from '../emulator';"],
    ['a type where it is used', 'sdk/a.ts', "export type E = import('../emulator').E;"],
    ['what it passes on', 'sdk/a.ts', "export * from '../emulator';"],
    ['types that it passes on', 'sdk/a.ts', "export type { E } from '../emulator';"],
    ['for its effects', 'sdk/a.ts', "import '../emulator';"],
    ['by import()', 'sdk/a.ts', "void import('../emulator');"],
    ['by import() of a template', 'sdk/a.ts', 'void import(`../emulator`);'],
    ['behind a string that looks like a comment', 'sdk/a.ts', "const a = '/*'; import '../emulator'; '*/';"],
    ['by the name of the package', 'sdk/a.ts', "import { E } from 'node-red-contrib-alink/emulator';"],
    ['tests', 'sdk/a.ts', "import { f } from '../test/support/flows';"],
    ['a package in protocol/', 'protocol/a.ts', "import { x } from 'left-pad';"],
    ['Node.js in protocol/', 'protocol/a.ts', "import { readFileSync } from 'node:fs';"],
    ['a broker outside the emulator', 'sdk/a.ts', "import { Aedes } from 'aedes';"],
    ['the emulator at once', 'nodes/shared/a.ts', "import { E } from '../../emulator/index.js';"],
    ['the emulator by require()', 'nodes/shared/a.ts', "const e = require('../../emulator');"],
    ['the emulator by import = require()', 'nodes/shared/a.ts', "import e = require('../../emulator'); e();"],
    ['another node', 'nodes/alink-a/alink-a.ts', "import { b } from '../alink-b/alink-b';"],
    ['hmac in the browser', 'nodes/alink-a/editor.ts', "import { h } from '../../protocol/hmac';"],
    ['the SDK in the browser', 'nodes/shared/editor/a.ts', "import { s } from '../../../sdk';"],
    ['the runtime in the browser', 'nodes/alink-a/editor.ts', "import { a } from './alink-a';"],
    ['Node.js in the browser', 'nodes/alink-a/editor-b.ts', "import { join } from 'path';"],
  ];
  for (const [why, file, source] of wrong) {
    it(`refuses ${why}`, () => {
      const { code, text } = run('check-imports.mjs', { [file]: source });
      assert.equal(code, 1, text);
      assert.match(text, new RegExp(`^${file}: must not import `, 'm'));
    });
  }

  it('refuses files that need each other in a loop', () => {
    const { code, text } = run('check-imports.mjs', {
      'sdk/a.ts': "import { b } from './b'; export const a = () => b;",
      'sdk/b.ts': "import { c } from './c'; export const b = () => c;",
      'sdk/c/index.ts': "import { a } from '../a'; export const c = () => a;",
    });
    assert.equal(code, 1, text);
    assert.match(text, /^sdk\/a\.ts, sdk\/b\.ts, sdk\/c\/index\.ts: import each other in a loop$/m);
  });

  it('takes types of few files that name each other, and none of many', () => {
    const loop = (size: number) =>
      Object.fromEntries(
        Array.from({ length: size }, (_, i) => [
          `sdk/f${i}.ts`,
          `import type { T${(i + 1) % size} } from './f${(i + 1) % size}';\nexport type T${i} = { t: T${(i + 1) % size} };`,
        ]),
      );
    const few = run('check-imports.mjs', loop(4));
    assert.equal(few.code, 0, few.text);
    const many = run('check-imports.mjs', loop(5));
    assert.equal(many.code, 1, many.text);
    assert.match(many.text, /sdk\/f0\.ts, .*sdk\/f4\.ts: import each other in a loop/);
  });

  it('takes the right ones', () => {
    const { code, text } = run('check-imports.mjs', {
      'protocol/hmac.ts': "import { createHmac } from 'node:crypto'; export const a = createHmac;",
      'protocol/a.ts': "// import '../sdk'\n/* import '../sdk' */\nexport const a = \"import '../sdk'\";",
      'sdk/a.ts': "import { a } from '../protocol/a'; import { connect } from 'mqtt'; connect(a);",
      'emulator/a.ts': "import { a } from '../protocol/a'; void import('aedes'); export { a };",
      'nodes/shared/a.ts': "import type { E } from '../../emulator'; void import('../../emulator');",
      'nodes/alink-a/defaults.ts': 'export const d = 1;',
      'nodes/alink-a/alink-a.ts': "import { d } from './defaults'; import '../shared/a'; export = () => d;",
      'nodes/alink-a/editor.ts': "import { d } from './defaults'; import '../shared/editor/a'; void d;",
      'nodes/shared/editor/a.ts': "import { a } from '../../../protocol/a'; void a;",
    });
    assert.equal(code, 0, text);
  });
});

describe('check of the languages', () => {
  const project = (english: object, chinese: object, dialog = '') => ({
    'locales/en-US/alink-a.json': JSON.stringify(english),
    'locales/zh-CN/alink-a.json': JSON.stringify(chinese),
    'nodes/alink-a/editor.html': dialog,
  });
  const good = { a: { b: 'wait __seconds__ s' } };
  const check = (files: Readonly<Record<string, string>>) => run('check-locales.mjs', files);

  it('takes the same strings', () => {
    const dialog = '<a data-i18n="a.b"></a><a data-i18n="[title]a.b;node-red:common.label.x"></a>';
    const { code, text } = check(project(good, { a: { b: '等待 __seconds__ 秒' } }, dialog));
    assert.equal(code, 0, text);
  });

  const wrong: ReadonlyArray<readonly [why: string, files: Record<string, string>, words: RegExp]> = [
    ['a key in one language', project(good, { a: {} }), /a\.b is there in one language only/],
    ['an empty string', project(good, { a: { b: ' ' } }), /a\.b is empty/],
    ['another placeholder', project(good, { a: { b: '等待 __minutes__' } }), /other placeholders/],
    ['a key that no language has', project(good, good, '<a data-i18n="a.c"></a>'), /names a\.c/],
    ['the same for an attribute', project(good, good, '<a data-i18n="a.b;[title]a.d"></a>'), /names a\.d/],
    [
      'a file in one language',
      { ...project(good, good), 'locales/en-US/alink-a.html': 'help' },
      /alink-a\.html: is there in one language only/,
    ],
  ];
  for (const [why, files, words] of wrong) {
    it(`refuses ${why}`, () => {
      const { code, text } = check(files);
      assert.equal(code, 1, text);
      assert.match(text, words);
    });
  }
});
