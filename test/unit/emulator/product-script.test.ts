import assert from 'node:assert/strict';
import { ProductScript } from '../../../emulator/script/product-script';
import type { ScriptLimits, ScriptOutcome } from '../../../emulator/script/types';

const LIMITS: ScriptLimits = {
  scriptMs: 200,
  scriptMemoryBytes: 8 * 1024 * 1024,
  scriptStackBytes: 256 * 1024,
  scriptResultBytes: 10_000,
  scriptQueue: 3,
};
const code = (outcome: ScriptOutcome) => (outcome.ok ? 200 : outcome.code);

describe('script of a product', () => {
  let script: ProductScript;
  const open = (text: string) => {
    script = new ProductScript(text, LIMITS);
    return (input: unknown) => script.call({ name: 'rawDataToProtocol', args: [JSON.stringify(input)] });
  };
  afterEach(() => script.close());

  it('answers calls in their order', async () => {
    const call = open('let n = 0; function rawDataToProtocol(input) { return { input, n: ++n } }');
    const outcomes = await Promise.all([call(['a']), call(['b']), call(['c'])]);
    assert.deepEqual(
      outcomes.map((outcome) => outcome.ok && outcome.json),
      ['{"input":["a"],"n":1}', '{"input":["b"],"n":2}', '{"input":["c"],"n":3}'],
    );
  });

  it('throttles with 26010 when too much waits', async () => {
    const call = open('function rawDataToProtocol() { return {} }');
    const codes = (await Promise.all([1, 2, 3, 4, 5, 6].map(call))).map(code);
    assert.deepEqual(codes, [200, 200, 200, 200, 26010, 26010]);
    const large = 'x'.repeat(9 * 1024 * 1024);
    assert.deepEqual((await Promise.all([call(1), call(large), call(large)])).map(code), [200, 26002, 26010]);
    assert.equal(code(await call(1)), 200);
  });

  it('goes on after a call that used too much', async () => {
    const call = open('function rawDataToProtocol([hang]) { while (hang); return {} }');
    assert.deepEqual((await Promise.all([call([1]), call([0])])).map(code), [26002, 200]);
  });

  it('ends even what the interpreter cannot interrupt, and goes on', async () => {
    const call = open(`function rawDataToProtocol([hang]) {
      return { found: hang && Array.prototype.includes.call({ length: 2 ** 53 - 1 }, 1) };
    }`);
    assert.deepEqual((await Promise.all([call([0]), call([1]), call([0])])).map(code), [200, 26002, 200]);
  });

  it('answers what is under way when it is replaced', async () => {
    const call = open('function rawDataToProtocol() { return {} }');
    const pending = [call(1), call(2)];
    script.close();
    assert.deepEqual((await Promise.all(pending)).map(code), [26001, 26001]);
    assert.equal(code(await call(3)), 26001);
  });
});
