import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ScriptSandbox } from '../../../emulator/script/sandbox';
import type { ScriptCall, ScriptFunction, ScriptLimits, ScriptOutcome } from '../../../emulator/script/types';
import { LAMP_SCRIPT } from '../../support/scripts';

const LIMITS: ScriptLimits = {
  scriptMs: 200,
  scriptMemoryBytes: 8 * 1024 * 1024,
  scriptStackBytes: 256 * 1024,
  scriptResultBytes: 10_000,
  scriptQueue: 10,
};

async function sandboxOf(script: string): Promise<ScriptSandbox> {
  const sandbox = await ScriptSandbox.create(LIMITS);
  sandbox.load(script);
  return sandbox;
}

/** Runs a body as rawDataToProtocol. */
async function run(body: string, name: ScriptFunction = 'rawDataToProtocol'): Promise<ScriptOutcome> {
  const sandbox = await sandboxOf(`function ${name}(input) { ${body} }`);
  return sandbox.call({ name, args: ['[1,2]'] });
}

describe('sandbox of product scripts', () => {
  it('calls a function with its arguments, however it was declared', async () => {
    assert.deepEqual(await run('return { sum: input[0] + input[1] }'), { ok: true, json: '{"sum":3}' });
    const sandbox = await sandboxOf('const transformPayload = (topic, bytes) => ({ [topic]: bytes.length })');
    const args = ['"/user/a"', '[1]'];
    assert.deepEqual(sandbox.call({ name: 'transformPayload', args }), { ok: true, json: '{"/user/a":1}' });
  });

  it('keeps globals from call to call, as an ordinary script has them', async () => {
    const sandbox = await sandboxOf('var n = 0; function rawDataToProtocol() { return { n: ++n } }');
    const call: ScriptCall = { name: 'rawDataToProtocol', args: ['[]'] };
    sandbox.call(call);
    assert.deepEqual(sandbox.call(call), { ok: true, json: '{"n":2}' });
  });

  it('gives access to nothing of the process', async () => {
    const outcome = await run(`
      const reach = Function('return this')();
      return { found: ['process', 'require', 'module', 'fetch', 'setTimeout', 'WebAssembly', 'Buffer', 'std', 'os']
        .filter((name) => name in reach), made: typeof input.constructor.constructor('return process') };`);
    assert.deepEqual(outcome, { ok: true, json: '{"found":[],"made":"function"}' });
  });

  const loop = 'for (;;);';
  const tooMuch: Array<[string, string, RegExp]> = [
    ['an endless loop', loop, /took longer/],
    ['a loop that catches everything', 'for (;;) { try { for (;;); } catch (e) {} }', /took longer/],
    ['a regular expression without end', 'return { x: /^(a+)+$/.test("a".repeat(50) + "b") }', /took longer/],
    ['a memory bomb', 'const a = []; for (;;) a.push({ a })', /memory|took longer/],
    ['a bomb of large blocks', 'const a = []; for (;;) a.push(new Uint8Array(1e6))', /memory|took longer/],
    [
      'too many large blocks',
      'const a = []; for (let i = 0; i < 60; i++) a.push(new Uint8Array(1e6)); return { a: 1 }',
      /memory/,
    ],
    ['a text bomb', 'let s = "x"; for (;;) s += s + input', /too long|memory|took longer/],
    ['deep recursion', 'return rawDataToProtocol(input)', /stack overflow/],
    ['a proxy that never answers', `return new Proxy({}, { ownKeys() { ${loop} } })`, /took longer/],
    ['an error that never tells its message', `throw { get message() { ${loop} } }`, /took longer/],
    ['an error that throws another', 'throw { get message() { throw 1 } }', /threw/],
    ['an error', 'throw new RangeError("no such\\ncommand")', /^RangeError: no such command$/],
    ['an error of nothing', 'throw undefined', /undefined/],
    ['an error of a whole book', 'throw new Error("x".repeat(1e5))', /^threw$/],
  ];
  for (const [what, body, reason] of tooMuch) {
    it(`ends ${what} with 26002`, async () => {
      const outcome = await run(body);
      assert.ok(!outcome.ok && outcome.code === 26002, JSON.stringify(outcome));
      assert.match(outcome.reason, reason);
    });
  }

  it('says so when the script itself cannot be run', async () => {
    for (const script of ['function (', 'throw new Error("at the start")', loop]) {
      const sandbox = await sandboxOf(script);
      const outcome = sandbox.call({ name: 'rawDataToProtocol', args: ['[]'] });
      assert.equal(!outcome.ok && outcome.code, 26002);
      assert.equal(sandbox.spent, script === loop);
    }
  });

  it('misses a function with 26006', async () => {
    const sandbox = await sandboxOf('var rawDataToProtocol = 1; function protocolToRawData() { return [] }');
    for (const name of ['rawDataToProtocol', 'transformPayload'] as const) {
      const outcome = sandbox.call({ name, args: ['[]'] });
      assert.equal(!outcome.ok && outcome.code, 26006);
    }
  });

  const wrong: Array<[ScriptFunction, string]> = [
    ['rawDataToProtocol', ''],
    ['rawDataToProtocol', 'return null'],
    ['rawDataToProtocol', 'return 1'],
    ['rawDataToProtocol', 'return "{}"'],
    ['rawDataToProtocol', 'return []'],
    ['rawDataToProtocol', 'return () => 1'],
    ['rawDataToProtocol', 'return { n: 1n }'],
    ['rawDataToProtocol', 'const a = {}; a.a = a; return a'],
    ['rawDataToProtocol', 'return { get a() { throw 1 } }'],
    ['rawDataToProtocol', 'return { s: "x".repeat(10000) }'],
    ['rawDataToProtocol', 'return { toJSON() { return 7 } }'],
    ['protocolToRawData', ''],
    ['protocolToRawData', 'return {}'],
    ['protocolToRawData', 'return "0102"'],
    ['protocolToRawData', 'return [256]'],
    ['protocolToRawData', 'return [-129]'],
    ['protocolToRawData', 'return [1.5]'],
    ['protocolToRawData', 'return ["1"]'],
    ['protocolToRawData', 'return [,]'],
    ['protocolToRawData', 'return new Uint8Array(2)'],
  ];
  for (const [name, body] of wrong) {
    it(`takes no result of ${name}: ${body || 'nothing'}`, async () => {
      const outcome = await run(body, name);
      assert.equal(!outcome.ok && outcome.code, 26007, JSON.stringify(outcome));
    });
  }

  it('takes no result as deep as a well', async () => {
    for (const depth of [1e3, 1e4, 1e5]) {
      // Which stack ends first, the interpreter's or ours, is not certain.
      const outcome = await run(`let o = {}; for (let i = 0; i < ${depth}; i++) o = { o }; return o`);
      assert.ok(outcome.ok ? depth === 1e3 : [26002, 26007].includes(outcome.code), JSON.stringify(outcome));
    }
  });

  it('takes signed and unsigned bytes', async () => {
    assert.deepEqual(await run('return [-128, 255, 0]', 'protocolToRawData'), {
      ok: true,
      json: '[-128,255,0]',
    });
  });

  it('is not fooled by a script that changes what everything is built of', async () => {
    const sandbox = await sandboxOf(`
      Array.prototype[Symbol.iterator] = Function.prototype.call = undefined;
      JSON.parse = JSON.stringify = String = Object = Array = () => 'fooled';
      globalThis.rawDataToProtocol = (bytes) => ({ bytes, __proto__: null, ['__proto__']: { polluted: 1 } });`);
    const outcome = sandbox.call({ name: 'rawDataToProtocol', args: ['[3]'] });
    assert.deepEqual(outcome, { ok: true, json: '{"bytes":[3],"__proto__":{"polluted":1}}' });
    assert.equal(Reflect.get({}, 'polluted'), undefined);
  });

  it('hands bytes over and back whatever they are', async () => {
    const sandbox = await sandboxOf(`
      function rawDataToProtocol(bytes) { return { bytes } }
      function protocolToRawData(json) { return json.bytes }`);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => {
        const up = sandbox.call({ name: 'rawDataToProtocol', args: [`[${bytes.join(',')}]`] });
        assert.ok(up.ok);
        const down = sandbox.call({ name: 'protocolToRawData', args: [up.json] });
        assert.deepEqual(down, { ok: true, json: `[${bytes.join(',')}]` });
      }),
    );
  });

  it('hands any JSON over and back', async () => {
    const sandbox = await sandboxOf('function transformPayload(topic, json) { return { topic, json } }');
    fc.assert(
      fc.property(fc.string(), fc.jsonValue({ maxDepth: 5 }), (topic, json) => {
        const args = [JSON.stringify(topic), JSON.stringify(json)];
        const outcome = sandbox.call({ name: 'transformPayload', args });
        assert.ok(outcome.ok);
        assert.deepEqual(JSON.parse(outcome.json), JSON.parse(JSON.stringify({ topic, json })));
      }),
    );
  });

  it('never fails otherwise than with a code, whatever the script is', async () => {
    const codes = new Set<number>();
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), fc.lorem()), async (script) => {
        const outcome = (await sandboxOf(script)).call({ name: 'rawDataToProtocol', args: ['[]'] });
        assert.ok(!outcome.ok);
        codes.add(outcome.code);
      }),
      { numRuns: 30 },
    );
    assert.ok(codes.has(26002));
  });

  it('runs a script in the manner of real ones', async () => {
    const sandbox = await sandboxOf(LAMP_SCRIPT);
    const bytes = [0, 0, 0x22, 0x33, 0x44, 0, 205, 1];
    const up = sandbox.call({ name: 'rawDataToProtocol', args: [JSON.stringify(bytes)] });
    assert.deepEqual(up.ok && JSON.parse(up.json), {
      id: '2241348',
      version: '1.0',
      method: 'thing.event.property.post',
      params: { temperature: 20.5, light: 1 },
    });
  });
});
