import variant from '@jitl/quickjs-wasmfile-release-sync';
import {
  newQuickJSWASMModuleFromVariant,
  newVariant,
  type QuickJSContext,
  type QuickJSHandle,
  type QuickJSRuntime,
} from 'quickjs-emscripten-core';
import { SCRIPT_FUNCTIONS, type ScriptCall, type ScriptLimits, type ScriptOutcome } from './types';

// Runs before the script, so that the script cannot put its own functions in their place.
const BRIDGE = `(() => {
  const { parse, stringify } = JSON;
  const describe = (thrown) => {
    const text = typeof thrown === 'object' && thrown !== null && 'message' in thrown
      ? thrown.name + ': ' + thrown.message
      : '' + thrown;
    return text.length > 300 ? '' : text;
  };
  return { parse, stringify, describe };
})()`;

// Behind the script, in its scope: functions may be declared in any way.
const FUNCTIONS = `({${SCRIPT_FUNCTIONS.map(
  (name) => `${name}: typeof ${name} === 'function' ? ${name} : undefined`,
).join(', ')}})`;

const PAGE_BYTES = 65_536;
// What the module is built for; its stack and tables are in there.
const INITIAL_PAGES = 256;

type Bridge = 'parse' | 'stringify' | 'describe';

/** What the script threw, in its own words. */
class ScriptThrew extends Error {}
/** The call used too much; its runtime is of no use any more. */
class LimitReached extends Error {}
class WrongResult extends Error {}

/** A product's script in an interpreter of its own: no access to anything, bounded time, memory and stack. */
export class ScriptSandbox {
  private deadline = 0;
  private interrupted = false;

  private constructor(
    private readonly context: QuickJSContext,
    private readonly limits: ScriptLimits,
    private readonly now: () => number,
  ) {}

  /**
   * Loads an interpreter. It is a WebAssembly module of its own, because one that ran out of memory is not
   * used again.
   * @param now milliseconds of a clock that goes on while the script runs
   */
  static async create(limits: ScriptLimits, now = () => performance.now()): Promise<ScriptSandbox> {
    // The interpreter's own limit counts blocks and not how large they are; what holds is the end of its memory.
    const memory = new WebAssembly.Memory({
      initial: INITIAL_PAGES,
      maximum: INITIAL_PAGES + Math.ceil(limits.scriptMemoryBytes / PAGE_BYTES),
    });
    const module = await newQuickJSWASMModuleFromVariant(newVariant(variant, { wasmMemory: memory }));
    const runtime: QuickJSRuntime = module.newRuntime();
    runtime.setMemoryLimit(limits.scriptMemoryBytes);
    runtime.setMaxStackSize(limits.scriptStackBytes);
    const sandbox = new ScriptSandbox(runtime.newContext(), limits, now);
    runtime.setInterruptHandler(() => sandbox.timeIsUp());
    return sandbox;
  }

  private bridge: QuickJSHandle | undefined;
  private functions: QuickJSHandle | undefined;
  private failure: { ok: false; code: 26002; reason: string } | undefined;
  /** It used too much; another one has to take its place. */
  spent = false;

  /** Runs the script once. What it throws is what every call then answers. */
  load(script: string): void {
    try {
      this.start();
      this.bridge = this.evaluate(BRIDGE);
      this.evaluate(script);
      this.functions = this.evaluate(FUNCTIONS);
    } catch (thrown) {
      this.failure = this.fail(thrown);
    }
  }

  call({ name, args }: ScriptCall): ScriptOutcome {
    if (this.failure !== undefined) return this.failure;
    const { context, functions } = this;
    if (functions === undefined) throw new Error('no script is loaded');
    try {
      this.start();
      const called = context.getProp(functions, name);
      if (context.typeof(called) !== 'function') {
        return { ok: false, code: 26006, reason: `there is no function ${name}` };
      }
      const values = args.map((text) => this.use('parse', context.newString(text)));
      const result = this.run(called, ...values);
      const json = this.serialize(result);
      for (const handle of [called, result, ...values]) handle.dispose();
      if (name === 'protocolToRawData' ? isByteList(json) : json.startsWith('{')) return { ok: true, json };
      throw new WrongResult(name === 'protocolToRawData' ? 'not a list of bytes' : 'not an object');
    } catch (thrown) {
      if (thrown instanceof WrongResult) {
        return { ok: false, code: 26007, reason: `${name} returned ${thrown.message}` };
      }
      return this.fail(thrown);
    }
  }

  private start(): void {
    this.deadline = this.now() + this.limits.scriptMs;
    this.interrupted = false;
  }

  private timeIsUp(): boolean {
    this.interrupted ||= this.now() > this.deadline;
    return this.interrupted;
  }

  private evaluate(code: string): QuickJSHandle {
    return this.unwrap(this.context.evalCode(code, 'script.js', { type: 'global' }));
  }

  private run(called: QuickJSHandle, ...args: QuickJSHandle[]): QuickJSHandle {
    return this.unwrap(this.context.callFunction(called, this.context.undefined, ...args));
  }

  private use(name: Bridge, argument: QuickJSHandle): QuickJSHandle {
    if (this.bridge === undefined) throw new Error('the interpreter is not prepared');
    return this.run(this.context.getProp(this.bridge, name), argument);
  }

  private unwrap(result: ReturnType<QuickJSContext['callFunction']>): QuickJSHandle {
    // A script that catches everything still used its time up.
    if (this.interrupted) throw new LimitReached(`took longer than ${this.limits.scriptMs} ms`);
    if (result.error === undefined) return result.value;
    const reason = this.describe(result.error);
    if (this.interrupted) throw new LimitReached(`took longer than ${this.limits.scriptMs} ms`);
    if (reason.includes('out of memory')) {
      throw new LimitReached(`needs more than ${this.limits.scriptMemoryBytes} bytes of memory`);
    }
    throw new ScriptThrew(reason);
  }

  // Runs code of the script when what it threw has getters: inside, and within its time.
  private describe(error: QuickJSHandle): string {
    const { context, bridge } = this;
    if (bridge === undefined) return 'failed';
    const result = context.callFunction(context.getProp(bridge, 'describe'), context.undefined, error);
    if (result.error !== undefined || context.typeof(result.value) !== 'string') return 'threw';
    return context.getString(result.value).replace(/[\p{Cc}\s]+/gu, ' ') || 'threw';
  }

  private serialize(value: QuickJSHandle): string {
    let text: QuickJSHandle;
    try {
      text = this.use('stringify', value);
    } catch (thrown) {
      if (thrown instanceof ScriptThrew) throw new WrongResult(`what cannot be JSON (${thrown.message})`);
      throw thrown;
    }
    const { context } = this;
    if (context.typeof(text) !== 'string') throw new WrongResult('nothing');
    const length = context.getNumber(context.getProp(text, 'length'));
    const { scriptResultBytes } = this.limits;
    if (length > scriptResultBytes) throw new WrongResult(`more than ${scriptResultBytes} bytes`);
    const json = context.getString(text);
    text.dispose();
    return json;
  }

  private fail(thrown: unknown): { ok: false; code: 26002; reason: string } {
    const reason = thrown instanceof Error ? thrown.message : 'failed';
    // Whatever is not an error of the script broke the interpreter.
    if (!(thrown instanceof ScriptThrew)) this.spent = true;
    return { ok: false, code: 26002, reason: reason.slice(0, 300) };
  }
}

// Scripts come from a world of signed bytes: -1 and 255 are the same.
function isByteList(json: string): boolean {
  if (!json.startsWith('[')) return false;
  const list: unknown = JSON.parse(json);
  return Array.isArray(list) && list.every((byte) => Number.isInteger(byte) && byte >= -128 && byte <= 255);
}
