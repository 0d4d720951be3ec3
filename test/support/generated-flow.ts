import assert from 'node:assert/strict';
import vm from 'node:vm';
import type { JsonObject } from '../../protocol';
import { type FlowNode, generateFlow, readModelConfiguration } from '../../protocol/model-configuration';
import { PLANT } from '../unit/protocol/model-configuration/plant';
import { MadeUpModbus, type ModbusRequest } from './modbus-server';

const OPTIONS = { gateway: 'a11ce0de00000001', name: 'hall 1' };

export type Message = { topic?: string; payload?: unknown; device?: unknown; [name: string]: unknown };
type Output = Message | null | undefined | Array<Message | Message[] | null | undefined>;

/** Runs function nodes as Node-RED does: their text as a function in a context of its own, with nothing of Node.js. */
export class FunctionNodes {
  readonly flow = new Map<string, unknown>();
  readonly warnings: string[] = [];
  readonly #compiled = new Map<string, (msg?: Message) => Output>();
  readonly #globals = new Map<string, Record<string, unknown>>();
  now = 1_000_000;
  status: { fill?: string; text?: string } = {};

  constructor(readonly nodes: readonly FlowNode[]) {}

  /** As each is when it is deployed. */
  start(): void {
    for (const { initialize } of this.nodes) this.#compile(String(initialize ?? ''))();
  }

  /** @returns messages of each output */
  run(node: FlowNode, msg: Message): Message[][] {
    const known = this.#compiled.get(node.id) ?? this.#compile(String(node.func), this.globals(node));
    this.#compiled.set(node.id, known);
    const result = known(msg);
    // Out of that context, whose objects are not ours.
    const sent = Array.isArray(result) ? result : [result];
    const outputs = structuredClone(sent);
    // Node-RED hands on the message itself, and the nodes behind write into it; whoever has kept it has not what it was.
    for (const msg of sent.flat()) if (msg) Object.assign(msg, { payload: '', error: 'of the node behind' });
    return outputs.map((output) => (Array.isArray(output) ? output : output ? [output] : []));
  }

  /** What a node sees of the world, and what it has put there. */
  globals({ id }: FlowNode): Record<string, unknown> {
    const known = this.#globals.get(id) ?? {};
    this.#globals.set(id, known);
    return known;
  }

  #compile(code: string, globals: Record<string, unknown> = {}): (msg?: Message) => Output {
    Object.assign(globals, {
      flow: {
        get: (name: string) => this.flow.get(name),
        set: (name: string, value: unknown) => this.flow.set(name, value),
      },
      node: {
        warn: (text: string) => this.warnings.push(text),
        status: (status: object) => {
          this.status = status;
        },
      },
      Date: { now: () => this.now },
    });
    const compiled: unknown = vm.runInContext(`(function (msg) {${code}\n})`, vm.createContext(globals));
    return compiled as (msg?: Message) => Output;
  }
}

/** The tab of a plant with the Modbus server made up; what the nodes of this collection would get is collected. */
export class RunningTab {
  readonly reports: Message[] = [];
  readonly replies: Message[] = [];
  readonly functions: FunctionNodes;
  readonly #byId: ReadonlyMap<string, FlowNode>;
  readonly #pending: Array<[node: FlowNode, msg: Message]> = [];
  #isDelivering = false;

  constructor(
    nodes: readonly FlowNode[],
    readonly server: MadeUpModbus,
  ) {
    this.functions = new FunctionNodes(nodes);
    this.#byId = new Map(nodes.map((node) => [node.id, node]));
  }

  node(type: string, fits: (node: FlowNode) => boolean = () => true): FlowNode {
    const found = [...this.#byId.values()].find((node) => node.type === type && fits(node));
    assert.ok(found, `no ${type}`);
    return found;
  }

  clock(payload: number): void {
    this.functions.now += 1000;
    const inject = this.node('inject', (node) => node.payload === String(payload));
    this.#send(inject, 0, { payload });
  }

  set(deviceName: string, payload: unknown, alink = { request: 'token' }): void {
    this.#send(this.node('alink-property-set'), 0, {
      payload,
      device: { productKey: 'a1Pump', deviceName },
      alink,
    });
  }

  #send(from: FlowNode, output: number, msg: Message): void {
    for (const id of from.wires?.[output] ?? []) this.#pending.push([this.#at(id), { ...msg }]);
    this.#deliver();
  }

  /** One message after the other, as Node-RED does: a node that sends is not in the middle of it when another receives. */
  #deliver(): void {
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    try {
      for (let next = this.#pending.shift(); next; next = this.#pending.shift()) this.#receive(...next);
    } finally {
      this.#isDelivering = false;
    }
  }

  #at(id: string): FlowNode {
    const node = this.#byId.get(id);
    assert.ok(node);
    return node;
  }

  #receive(node: FlowNode, msg: Message): void {
    switch (node.type) {
      case 'function':
        for (const [output, messages] of this.functions.run(node, msg).entries()) {
          for (const message of messages) this.#send(node, output, message);
        }
        return;
      case 'modbus-flex-getter':
      case 'modbus-flex-write':
        this.#modbus(node, msg);
        return;
      case 'link out':
        for (const id of node.links as string[]) this.#send(this.#at(id), 0, msg);
        return;
      case 'alink-property-post':
        this.reports.push(msg);
        return;
      case 'alink-service-reply':
        this.replies.push(msg);
        return;
      default:
        assert.fail(`nothing is known of ${node.type}`);
    }
  }

  #modbus(node: FlowNode, msg: Message): void {
    assert.equal(node.keepMsgProperties, true);
    const request = msg.payload as ModbusRequest;
    try {
      if (node.type === 'modbus-flex-getter')
        this.#send(node, 0, { ...msg, payload: this.server.read(request) });
      else {
        this.server.write(request);
        this.#send(node, 0, { ...msg, payload: request });
      }
    } catch (error) {
      assert.equal(node.emptyMsgOnFail, true);
      // Nothing but the topic comes back with an error.
      this.#send(node, 0, { topic: msg.topic ?? '', payload: '', error });
    }
  }
}

/** Two properties that share a register. */
export const WITH_BITS = JSON.parse(
  JSON.stringify(PLANT).replace(
    /("identifier":"low".*?"registerAddress":)"0x14"(.*?)"writeFunctionCode":0/,
    '$1"0x13"$2"bitMask":"0xFF00"',
  ),
) as JsonObject;

/** 100 devices of ten registers with holes between them. */
export function largeTab(): [tab: RunningTab, devices: number, reads: number] {
  const [devices, reads] = [100, 10];
  const [model = {}] = PLANT.modelList as JsonObject[];
  const [low] = model.properties as JsonObject[];
  const properties = Array.from({ length: reads }, (_, i) => ({
    ...low,
    identifier: `p${i}`,
    registerAddress: 3 * i,
  }));
  const deviceList = Array.from({ length: devices }, (_, i) => ({
    productKey: 'a1Pump',
    deviceName: `pump-${i}`,
    deviceConfig: { serverId: 'tcp-1', slaveId: i },
  }));
  return [
    runningTab({ ...PLANT, modelList: [{ ...model, properties } as JsonObject], deviceList }),
    devices,
    reads,
  ];
}

export function runningTab(document: JsonObject = PLANT, language = 'en-US'): RunningTab {
  const nodes = generateFlow(readModelConfiguration(document), { ...OPTIONS, language });
  const client = nodes.find(({ type, tcpHost }) => type === 'modbus-client' && tcpHost === '10.0.0.5');
  const getter = nodes.find(({ type, server }) => type === 'modbus-flex-getter' && server === client?.id);
  return new RunningTab(
    nodes.filter(({ z }) => z === getter?.z),
    new MadeUpModbus(),
  );
}
