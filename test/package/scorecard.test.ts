import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type AnyNode, type ObjectExpression, type Property, parse } from 'acorn';
import { describe, it } from 'mocha';

const PROJECT = resolve(__dirname, '..', '..');

/**
 * Rules that the project cannot keep yet.
 * P03 wants an address of the repository or of its issue tracker; whoever publishes the package has to put theirs in,
 * because one that leads nowhere is worse than none. D03, P08 and the other half of N01 compare with what is published
 * and need a network.
 */
const NOT_KEPT: readonly string[] = ['P03'];

interface Manifest {
  name: string;
  license?: string;
  keywords?: string[];
  repository?: unknown;
  bugs?: unknown;
  engines?: { node?: string };
  dependencies: Record<string, string>;
  'node-red': { version?: string; nodes: Record<string, string> };
}

interface Lock {
  packages: Record<string, { version?: string; dependencies?: Record<string, string> }>;
}

interface Definition {
  type: string;
  fields: Map<string, AnyNode>;
}

const manifest = read<Manifest>('package.json');
const definitions = Object.values(manifest['node-red'].nodes).map((script) =>
  readDefinition(readFileSync(join(PROJECT, script.replace(/\.js$/, '.html')), 'utf8')),
);

/** The rules of the scorecard that the flow library shows beside each package, as far as they need no network. */
const RULES: Record<string, { says: string; kept: () => void }> = {
  P01: { says: 'a license is named', kept: () => assert.equal(manifest.license, 'Apache-2.0') },
  P03: {
    says: 'there is an address for questions and faults',
    kept: () => assert.ok(manifest.repository ?? manifest.bugs),
  },
  P04: {
    says: 'the name begins as names of other people’s nodes should',
    kept: () => assert.match(manifest.name, /^node-red-contrib-[a-z\d-]+$/),
  },
  P05: {
    says: 'the keyword node-red is there',
    kept: () => assert.ok(manifest.keywords?.includes('node-red')),
  },
  P06: {
    says: 'the versions of Node-RED are named, and those we test are among them',
    kept: () => {
      for (const name of ['node-red', 'node-red-4'])
        assert.ok(isAtLeast(versionOf(name), manifest['node-red'].version), name);
    },
  },
  P07: {
    says: 'the versions of Node.js are named, and the oldest that Node-RED takes is among them',
    kept: () => {
      const { engines } = read<Manifest>('node_modules/node-red/package.json');
      assert.ok(isAtLeast(engines?.node?.replace('>=', '') ?? '', manifest.engines?.node));
    },
  },
  N01: {
    says: 'types of nodes carry our prefix, each once',
    kept: () => {
      const types = definitions.map(({ type }) => type);
      assert.deepEqual(types.sort(), Object.keys(manifest['node-red'].nodes).sort());
      for (const type of types) assert.match(type, /^alink-/);
    },
  },
  N02: {
    says: 'each node that is put on the canvas is in an example',
    kept: () => {
      const used = new Set(examples().flatMap((flow) => flow.map(({ type }) => type)));
      const onCanvas = definitions.filter(({ fields }) => literalOf(fields.get('category')) !== 'config');
      assert.ok(onCanvas.length > 0);
      for (const { type } of onCanvas) assert.ok(used.has(type), type);
    },
  },
  D01: {
    says: 'at most six packages are needed',
    kept: () => assert.ok(Object.keys(manifest.dependencies).length <= 6),
  },
  D02: {
    says: 'no package that is known to break Node-RED is needed, however deep',
    kept: () => {
      const tree = dependencyTree();
      assert.ok(tree.has('node_modules/mqtt-packet'), 'the tree is looked through');
      // An old one patches the https module of the whole process.
      const broken = [...tree].filter(
        ([path, { version }]) =>
          path.endsWith('node_modules/agent-base') && !isAtLeast(version ?? '', '>=6.0.0'),
      );
      assert.deepEqual(broken, []);
    },
  },
};

describe('scorecard of the flow library', () => {
  for (const [rule, { says, kept }] of Object.entries(RULES)) {
    if (NOT_KEPT.includes(rule))
      it(`${rule} is not kept yet: ${says}`, () =>
        assert.throws(kept, 'it is kept now; take it off the list'));
    else it(`${rule}: ${says}`, kept);
  }

  for (const { type, fields } of definitions) {
    it(`reads what ${type} looks like without running it`, () => {
      for (const name of ['category', 'color', 'icon', 'inputs', 'outputs']) {
        const node = fields.get(name);
        if (node) assert.equal(node.type, 'Literal', name);
      }
      assert.equal(typeof literalOf(fields.get('category')), 'string');
      for (const name of ['defaults', 'credentials']) {
        const node = fields.get(name);
        if (node) assert.ok(entriesOf(node).size > 0, name);
      }
      assert.ok(fields.has('defaults'));
    });
  }
});

function read<T>(file: string): T {
  return JSON.parse(readFileSync(join(PROJECT, file), 'utf8')) as T;
}

function versionOf(name: string): string {
  return read<{ version: string }>(`node_modules/${name}/package.json`).version;
}

function examples(): Array<Array<{ type: string }>> {
  const files = readdirSync(join(PROJECT, 'examples')).filter((file) => file.endsWith('.json'));
  return files.map((file) => read(`examples/${file}`));
}

/** Only ranges of the form `>=1.2.3` are understood; another one fails. */
function isAtLeast(version: string, range = ''): boolean {
  const [have, want] = [version, /^>=(\d+(?:\.\d+)*)$/.exec(range)?.[1] ?? ''].map((text) =>
    text.split('.').map(Number),
  );
  assert.ok(
    have && want && [...have, ...want].every(Number.isInteger) && range !== '',
    `${version} ${range}`,
  );
  for (let i = 0; i < 3; i++) {
    const difference = (have[i] ?? 0) - (want[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

/** Everything that an installation of the package brings, by its path in the lock file. */
function dependencyTree(): Map<string, { version?: string }> {
  const { packages } = read<Lock>('package-lock.json');
  const tree = new Map<string, { version?: string }>();
  const visit = (from: string, names: readonly string[]): void => {
    for (const name of names) {
      const path = placeOf(packages, from, name);
      const found = packages[path];
      assert.ok(found, `${name} is not in the lock file`);
      if (tree.has(path)) continue;
      tree.set(path, found);
      visit(path, Object.keys(found.dependencies ?? {}));
    }
  };
  visit('', Object.keys(manifest.dependencies));
  return tree;
}

/** Where Node.js finds a package that another one asks for. */
function placeOf(packages: Lock['packages'], from: string, name: string): string {
  for (
    let folder = from;
    folder !== '';
    folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))
  ) {
    const path = `${folder}/node_modules/${name}`;
    if (packages[path]) return path;
  }
  return `node_modules/${name}`;
}

/** Finds `registerType("type", { … })` in a dialog without running it. */
function readDefinition(html: string): Definition {
  const found: Definition[] = [];
  for (const [, script = ''] of html.matchAll(/<script type="text\/javascript">([\s\S]*?)<\/script>/g)) {
    walk(parse(script, { ecmaVersion: 'latest' }), (node) => {
      if (node.type !== 'CallExpression' || node.callee.type !== 'MemberExpression') return;
      const { property } = node.callee;
      if (property.type !== 'Identifier' || property.name !== 'registerType') return;
      const [type, definition] = node.arguments;
      assert.ok(type?.type === 'Literal' && typeof type.value === 'string', 'the type is no literal');
      assert.ok(definition, type.value);
      found.push({ type: type.value, fields: entriesOf(definition) });
    });
  }
  const [definition, ...more] = found;
  assert.ok(definition && more.length === 0, `${found.length} types in one dialog`);
  return definition;
}

function entriesOf(node: AnyNode): Map<string, AnyNode> {
  assert.equal(node.type, 'ObjectExpression', 'it is not written where it is used');
  const properties = (node as ObjectExpression).properties.filter(
    (property): property is Property => property.type === 'Property',
  );
  return new Map(
    properties.map(({ key, value }) => [
      key.type === 'Identifier' ? key.name : String(literalOf(key)),
      value,
    ]),
  );
}

function literalOf(node: AnyNode | undefined): unknown {
  return node?.type === 'Literal' ? node.value : undefined;
}

function walk(node: AnyNode, visit: (node: AnyNode) => void): void {
  visit(node);
  for (const child of Object.values(node).flat()) {
    if (typeof child === 'object' && child !== null && 'type' in child) walk(child as AnyNode, visit);
  }
}
