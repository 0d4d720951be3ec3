import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'mocha';
import { type NodeRed, startNodeRed } from '../support/node-red';

const PROJECT = resolve(__dirname, '..', '..');

interface Manifest {
  name: string;
  version: string;
  dependencies: Record<string, string>;
  bin: Record<string, string>;
  'node-red': { nodes: Record<string, string> };
}

interface NodeSet {
  id: string;
  module?: string;
  version?: string;
  types: string[];
  enabled: boolean;
  err?: string;
}

describe('the package as npm publishes it', () => {
  let folder: string;
  let installed: string;
  let files: string[];
  let manifest: Manifest;

  before(function () {
    this.timeout(60_000);
    folder = mkdtempSync(join(tmpdir(), 'alink-package-'));
    // What a suite runs on was built before; a build here would take it away from under the others.
    execFileSync('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], {
      cwd: PROJECT,
      stdio: 'pipe',
    });
    const [tarball = ''] = readdirSync(folder);
    execFileSync('tar', ['-xzf', tarball], { cwd: folder });
    installed = join(folder, 'package');
    files = readdirSync(installed, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(installed.length + 1));
    manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as Manifest;
    // As after an installation for production: what only the project's development needs is not found.
    for (const name of Object.keys(manifest.dependencies)) {
      const link = join(installed, 'node_modules', name);
      mkdirSync(dirname(link), { recursive: true });
      symlinkSync(join(PROJECT, 'node_modules', name), link, 'junction');
    }
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('holds what runs, examples and the licence, and nothing else', () => {
    const top = new Set(files.map((file) => file.split('/')[0] ?? ''));
    for (const name of ['dist', 'examples', 'LICENSE', 'package.json']) assert.ok(top.has(name), name);
    const known = /^(dist|examples|LICENSE|package\.json|README(\.[\w-]+)?\.md|CHANGELOG\.md)$/;
    assert.deepEqual(
      [...top].filter((name) => !known.test(name)),
      [],
    );
    assert.deepEqual(
      files.filter((file) => /(?<!\.d)\.ts$|\.test\.|\.tsbuildinfo$/.test(file)),
      [],
    );
  });

  it('has a dialog and both languages for each node', () => {
    for (const [type, script] of Object.entries(manifest['node-red'].nodes)) {
      const at = dirname(script);
      for (const file of [script, `${at}/${type}.html`]) assert.ok(files.includes(file), file);
      for (const language of ['en-US', 'zh-CN']) {
        const kinds = ['json', 'html'].map((kind) => `${at}/locales/${language}/${type}.${kind}`);
        for (const file of kinds) assert.ok(files.includes(file), file);
      }
    }
  });

  it('registers each node where the flow library reads it', () => {
    for (const [type, script] of Object.entries(manifest['node-red'].nodes)) {
      const html = readFileSync(join(installed, script.replace(/\.js$/, '.html')), 'utf8');
      assert.match(html, new RegExp(`\\bregisterType\\(["']${type}["'], \\{`));
      assert.equal(html.match(/<script/g)?.length, html.match(/<\/script>/g)?.length);
    }
  });

  it('is loaded by name, and so is each part of it', () => {
    const program = `
      const parts = ['', '/protocol', '/model-configuration', '/emulator'].map((part) => require('${manifest.name}' + part));
      if (parts.some((part) => Object.keys(part).length === 0)) throw new Error('a part exports nothing');
      const loaded = Object.keys(require.cache).filter((file) => /[\\\\/]aedes[\\\\/]/.test(file));
      if (loaded.length > 0) throw new Error('the broker is loaded before an emulator is used');`;
    const { status, stderr } = spawnSync(process.execPath, ['-e', program], {
      cwd: installed,
      encoding: 'utf8',
    });
    assert.equal(status, 0, stderr);
  });

  it('has a command that starts the emulator', async () => {
    const command = join(installed, manifest.bin['alink-emulator'] ?? '');
    const child = spawn(command, ['--mqtt-port', '0', '--http-port', '0', '--quiet'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const closed = once(child, 'close');
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
    assert.deepEqual(Object.keys(JSON.parse(line) as object), ['mqtt', 'http']);
    child.kill('SIGTERM');
    assert.deepEqual(await closed, [0, null]);
  });

  describe('in a full Node-RED', () => {
    let red: NodeRed;
    before(async function () {
      this.timeout(60_000);
      const flows = JSON.parse(readFileSync(join(installed, 'examples', 'demo.json'), 'utf8'));
      red = await startNodeRed({
        flows,
        packageDir: installed,
        lang: 'zh-CN',
        settings: { httpAdminRoot: '/plant' },
      });
    });
    after(() => red?.stop());

    it('loads every node', async () => {
      const response = await fetch(`${red.url}nodes`, { headers: { accept: 'application/json' } });
      const sets = ((await response.json()) as NodeSet[]).filter((set) => set.module === manifest.name);
      const types = Object.keys(manifest['node-red'].nodes).sort();
      assert.deepEqual(sets.flatMap((set) => set.types).sort(), types);
      for (const set of sets) {
        assert.equal(set.err, undefined);
        assert.equal(set.enabled, true);
        assert.equal(set.version, manifest.version);
      }
    });

    it('serves dialogs and help in the language of the browser', async () => {
      for (const [language, words] of [
        ['zh-CN', /[\u4e00-\u9fff]/],
        ['en-US', /[a-z]{3}/],
      ] as const) {
        const headers = { accept: 'text/html', 'accept-language': language };
        const html = await (await fetch(`${red.url}nodes`, { headers })).text();
        const help = /data-help-name="alink-property-post"[^>]*>([\s\S]*?)<\/script>/.exec(html)?.[1] ?? '';
        assert.match(help, words, language);
        if (language === 'en-US') assert.doesNotMatch(help, /[\u4e00-\u9fff]/);
      }
    });

    it('tells no error of ours', () => {
      assert.doesNotMatch(red.output(), /\[error\]|UnhandledPromise|Cannot find module/);
    });
  });
});
