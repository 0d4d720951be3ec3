import assert from 'node:assert/strict';
import vm from 'node:vm';
import type { FlowNode } from '../../protocol/model-configuration';
import { MadeUpOpcUaClient } from './opcua-client';

type Message = { [name: string]: unknown };

function scriptOf(nodes: readonly FlowNode[]): vm.Script {
  const work = nodes.find(({ func }) => String(func).includes('opcUa(plan'));
  assert.ok(work);
  return new vm.Script(`(function (msg) {${String(work.func)}\n})(msg)`);
}

/** The tab of a boiler house with its client made up; what the nodes of this collection would get is collected. */
export class RunningOpcUaTab {
  readonly client = new MadeUpOpcUaClient();
  readonly reports: Message[] = [];
  readonly events: Message[] = [];
  readonly replies: Message[] = [];
  readonly warnings: string[] = [];
  readonly #flow = new Map<string, unknown>();
  #script: vm.Script;
  now = 1_000_000;

  constructor(nodes: readonly FlowNode[]) {
    this.#script = scriptOf(nodes);
  }

  /** Another flow takes the place of this one; the context stays. */
  replace(nodes: readonly FlowNode[]): void {
    this.#script = scriptOf(nodes);
  }

  send(msg: Message): void {
    const sandbox = vm.createContext({
      msg,
      flow: {
        get: (name: string) => this.#flow.get(name),
        set: (name: string, value: unknown) => this.#flow.set(name, value),
      },
      node: { warn: (text: string) => this.warnings.push(text), status: () => undefined },
      Date: Object.assign((ms: number) => new Date(ms), { now: () => this.now }),
    });
    const sent = this.#script.runInContext(sandbox) as Message[][];
    const outputs = structuredClone(sent);
    // The client writes its answers into the messages that it gets.
    for (const given of sent.flat()) Object.assign(given, { payload: '', topic: [], inputArguments: [] });
    const [client = [], reports = [], events = [], replies = []] = outputs;
    this.reports.push(...reports);
    this.events.push(...events);
    this.replies.push(...replies);
    for (const command of client) this.answer(this.client.take(command));
  }

  /** All outputs of the client lead back. */
  answer(outputs: Message[][]): void {
    for (const msg of outputs.flat()) this.send(msg);
  }

  tick(): void {
    this.now += 1000;
    this.send({ topic: 'tick' });
  }
}
