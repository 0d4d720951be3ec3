import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import vm from 'node:vm';
import { describe, it } from 'mocha';
import type { JsonObject } from '../../../../protocol';
import {
  type FlowNode,
  generateFlow,
  readModelConfiguration,
} from '../../../../protocol/model-configuration';
import { MadeUpModbus, type ModbusRequest } from '../../../support/modbus-server';
import { example } from './documents';
import { PLANT } from './plant';

const OPTIONS = { gateway: 'a11ce0de00000001', name: 'hall 1' };
const plant = () => generateFlow(readModelConfiguration(PLANT), OPTIONS);

type Message = { topic?: string; payload?: unknown; device?: unknown; [name: string]: unknown };
type Output = Message | null | undefined | Array<Message | Message[] | null | undefined>;

/** Runs function nodes as Node-RED does: their text as a function in a context of its own, with nothing of Node.js. */
class FunctionNodes {
  readonly flow = new Map<string, unknown>();
  readonly warnings: string[] = [];
  now = 1_000_000;
  status: { fill?: string; text?: string } = {};

  constructor(readonly nodes: readonly FlowNode[]) {}

  /** @returns messages of each output */
  run(node: FlowNode, msg: Message): Message[][] {
    const sandbox = vm.createContext({
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
      msg,
    });
    const result = vm.runInContext(`(function (msg) {${String(node.func)}\n})(msg)`, sandbox) as Output;
    // Out of that context, whose objects are not ours.
    const outputs = structuredClone(Array.isArray(result) ? result : [result]);
    return outputs.map((output) => (Array.isArray(output) ? output : output ? [output] : []));
  }
}

/** The tab of a plant with the Modbus server made up; what the nodes of this collection would get is collected. */
class RunningTab {
  readonly reports: Message[] = [];
  readonly replies: Message[] = [];
  readonly functions: FunctionNodes;
  readonly #byId: ReadonlyMap<string, FlowNode>;

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
    for (const id of from.wires?.[output] ?? []) {
      const node = this.#byId.get(id);
      assert.ok(node);
      this.#receive(node, { ...msg });
    }
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

function runningTab(): RunningTab {
  const nodes = plant();
  const client = nodes.find(({ type, tcpHost }) => type === 'modbus-client' && tcpHost === '10.0.0.5');
  const getter = nodes.find(({ type, server }) => type === 'modbus-flex-getter' && server === client?.id);
  return new RunningTab(
    nodes.filter(({ z }) => z === getter?.z),
    new MadeUpModbus(),
  );
}

describe('text of generated function nodes', () => {
  it('is made from the source as it is now', () => {
    const root = join(__dirname, '../../../..');
    const folder = join(root, 'protocol/model-configuration/flow/texts');
    const script = join(root, 'scripts/function-texts.mjs');
    const printed = execFileSync(process.execPath, [script, '--print'], { encoding: 'utf8' });
    const made = JSON.parse(printed) as Record<string, string>;
    assert.deepEqual(readdirSync(folder).sort(), Object.keys(made).sort());
    for (const [name, content] of Object.entries(made)) {
      const reason = `run node scripts/function-texts.mjs: ${name} is older than its source`;
      assert.equal(readFileSync(join(folder, name), 'utf8'), content, reason);
    }
  });
});

describe('generated flow', () => {
  for (const [title, document] of [
    ['of the guide', example()],
    ['of a plant', PLANT],
  ] as Array<[string, JsonObject]>) {
    it(`${title}: is one that Node-RED can import`, () => {
      const flow = generateFlow(readModelConfiguration(document), OPTIONS);
      assert.deepEqual(JSON.parse(JSON.stringify(flow)), flow);
      const ids = new Set(flow.map(({ id }) => id));
      assert.equal(ids.size, flow.length);
      const tabs = new Set(flow.filter(({ type }) => type === 'tab').map(({ id }) => id));
      const places = new Set<string>();
      for (const node of flow) {
        assert.match(node.id, /^[0-9a-f]{16}$/);
        for (const target of (node.wires ?? []).flat())
          assert.ok(ids.has(target), `${node.type} leads nowhere`);
        for (const reference of [node.server, node.endpoint]) {
          if (typeof reference === 'string' && node.z !== undefined) assert.ok(ids.has(reference), node.type);
        }
        if ('device' in node) assert.equal(node.device, OPTIONS.gateway);
        if (node.type === 'function')
          assert.doesNotThrow(() => new vm.Script(`(function () {${String(node.func)}\n})`));
        if (node.z === undefined) continue;
        assert.ok(tabs.has(node.z));
        assert.ok(Number(node.x) >= 100 && Number(node.y) >= 40 && Number(node.x) % 20 === 0);
        const place = `${node.z} ${node.x} ${node.y}`;
        assert.ok(!places.has(place), `two nodes at ${place}`);
        places.add(place);
      }
    });
  }

  it('has one client for each server, with its settings', () => {
    const clients = plant().filter(({ type }) => type === 'modbus-client');
    assert.deepEqual(
      clients.map(({ clienttype, tcpHost, tcpPort, serialPort, serialBaudrate, serialParity }) =>
        clienttype === 'tcp' ? [tcpHost, tcpPort] : [serialPort, serialBaudrate, serialParity],
      ),
      [
        ['10.0.0.5', 502],
        ['/dev/ttyUSB0', 19_200, 'even'],
      ],
    );
  });

  it('has the same ids each time, whatever the order of the document, and others for another gateway', () => {
    const turned = JSON.parse(JSON.stringify(PLANT)) as typeof PLANT;
    for (const list of ['deviceList', 'serverList', 'modelList'] as const)
      (turned[list] as unknown[]).reverse();
    const idsOf = (flow: FlowNode[]) => flow.map(({ id }) => id).sort();
    assert.deepEqual(plant(), plant());
    assert.deepEqual(idsOf(generateFlow(readModelConfiguration(turned), OPTIONS)), idsOf(plant()));
    const other = new Set(idsOf(generateFlow(readModelConfiguration(PLANT), { gateway: 'other' })));
    assert.ok(idsOf(plant()).every((id) => !other.has(id)));
  });

  it('needs nothing besides node-red-contrib-modbus and this collection', () => {
    const known =
      /^(tab|comment|inject|function|debug|catch|modbus-(client|flex-getter|flex-write)|alink-[a-z-]+)$/;
    for (const { type } of plant()) assert.match(type, known);
  });

  it('speaks Chinese where the runtime does', () => {
    const names = generateFlow(readModelConfiguration(PLANT), { ...OPTIONS, language: 'zh-CN' })
      .filter(({ type }) => type === 'comment')
      .map(({ name }) => String(name));
    assert.ok(names.length > 3 && names.every((name) => /\p{Script=Han}/u.test(name)));
  });

  it('logs in all sub-devices when the gateway is online', () => {
    const flow = plant();
    const functions = new FunctionNodes(flow);
    const lifecycle = flow.find(({ type }) => type === 'alink-lifecycle');
    const list = flow.find(({ id }) => id === lifecycle?.wires?.[0]?.[0]);
    assert.ok(list);
    assert.deepEqual(functions.run(list, { payload: 'offline' }), [[]]);
    const [[message] = []] = functions.run(list, { payload: 'online' });
    const devices = message?.payload as Array<{ deviceName: string }> | undefined;
    assert.deepEqual(
      devices?.map(({ deviceName }) => deviceName),
      ['meter-1', 'pump-1', 'pump-2'],
    );
  });
});

describe('generated flow, running on a made-up Modbus server', () => {
  it('polls, decodes and reports each device', () => {
    const tab = runningTab();
    const { server } = tab;
    server.set(1, 4, 0x10, 215);
    // 1.5 as a float, registers reversed: by hand, not by the code under test.
    server.set(1, 4, 0x11, 0, 0x3fc0);
    server.set(1, 0, 3, 1);
    server.set(2, 4, 0x10, 65_535);
    tab.clock(1000);
    assert.deepEqual(tab.reports, [
      {
        topic: 'pump-1',
        device: { productKey: 'a1Pump', deviceName: 'pump-1' },
        payload: { temperature: 21.5, flow: 1.5, mode: 0, low: 0 },
      },
      { topic: 'pump-1', device: { productKey: 'a1Pump', deviceName: 'pump-1' }, payload: { valve: 1 } },
      {
        topic: 'pump-2',
        device: { productKey: 'a1Pump', deviceName: 'pump-2' },
        payload: { temperature: -0.1, flow: 0, mode: 0, low: 0 },
      },
      { topic: 'pump-2', device: { productKey: 'a1Pump', deviceName: 'pump-2' }, payload: { valve: 0 } },
    ]);
    assert.equal(server.requests.length, 4);
  });

  it('reports on change what is to be reported on change', () => {
    const tab = runningTab();
    tab.clock(1000);
    tab.reports.length = 0;
    tab.clock(1000);
    assert.deepEqual(
      tab.reports.map(({ payload }) => Object.keys(payload as object)),
      [
        ['temperature', 'flow', 'mode', 'low'],
        ['temperature', 'flow', 'mode', 'low'],
      ],
    );
    tab.server.set(2, 0, 3, 1);
    tab.clock(1000);
    assert.deepEqual(tab.reports.at(-1)?.payload, { valve: 1 });
  });

  it('a device that is away is told once, and does not hold up the others', () => {
    const tab = runningTab();
    tab.server.away.add(1);
    for (let i = 0; i < 3; i++) tab.clock(1000);
    assert.deepEqual(new Set(tab.reports.map(({ topic }) => topic)), new Set(['pump-2']));
    assert.deepEqual(tab.functions.warnings, [
      'a1Pump/pump-1 (fc 3, 16–20): does not answer (Timed out)',
      'a1Pump/pump-1 (fc 1, 3–3): does not answer (Timed out)',
    ]);
    assert.equal(tab.functions.status.fill, 'yellow');
    tab.server.away.clear();
    for (let i = 0; i < 15; i++) tab.clock(1000);
    assert.equal(tab.functions.status.fill, 'green');
    assert.equal(tab.functions.warnings.length, 2);
    assert.ok(tab.reports.some(({ topic }) => topic === 'pump-1'));
  });

  it('a device that is away is asked rarely, because each time-out costs the others', () => {
    const tab = runningTab();
    tab.server.away.add(1);
    const asked = (clocks: number) => {
      tab.server.requests.length = 0;
      for (let i = 0; i < clocks; i++) tab.clock(1000);
      return tab.server.requests.filter(({ unitid }) => unitid === 1).length;
    };
    asked(60);
    assert.ok(asked(120) <= 3);
    assert.equal(tab.server.requests.filter(({ unitid }) => unitid === 2).length, 240);
    tab.server.away.clear();
    asked(61);
    assert.equal(asked(10), 20);
  });

  it('a lost connection is told once, as the fault of no device', () => {
    const tab = runningTab();
    const read = tab.server.read.bind(tab.server);
    let reasons = 0;
    tab.server.read = () => {
      throw new Error(
        reasons++ % 2 ? 'Client Not Ready To Read' : 'Inject while node is not ready for input.',
      );
    };
    for (let i = 0; i < 8; i++) tab.clock(1000);
    assert.deepEqual(tab.functions.warnings, []);
    for (let i = 0; i < 30; i++) tab.clock(1000);
    assert.equal(tab.functions.warnings.length, 1);
    assert.match(tab.functions.warnings[0] ?? '', /^the server: is not reached \(/);
    tab.server.read = read;
    tab.clock(1000);
    assert.equal(tab.functions.status.fill, 'green');
    assert.equal(tab.server.requests.length, 4);
  });

  it('a request that is refused is told once, while others of the device are answered', () => {
    const tab = runningTab();
    const read = tab.server.read.bind(tab.server);
    tab.server.read = (request) => {
      if (request.fc === 1 && request.unitid === 1)
        throw new Error('Modbus exception 2: Illegal data address');
      return read(request);
    };
    for (let i = 0; i < 3; i++) tab.clock(1000);
    assert.equal(tab.functions.warnings.length, 1);
    assert.equal(tab.reports.filter(({ topic }) => topic === 'pump-1').length, 3);
  });

  it('does not ask again what has not been answered', () => {
    const tab = runningTab();
    const ask = tab.node('function', ({ name }) => name === 'what to read');
    const [first = []] = tab.functions.run(ask, { payload: 1000 });
    const [second = []] = tab.functions.run(ask, { payload: 1000 });
    assert.equal(first.length, 4);
    assert.equal(second.length, 0);
    const decode = tab.node('function', ({ name }) => name === 'decode');
    tab.functions.run(decode, { ...first[1], payload: [true] });
    assert.deepEqual(tab.functions.run(ask, { payload: 1000 })[0], [first[1]]);
  });

  it('writes what the platform sets and answers when all of it is written', () => {
    const tab = runningTab();
    tab.set('pump-2', { temperature: 30.04, flow: 1.5, valve: 1 });
    assert.deepEqual(tab.server.get(2, 4, 0x10, 3), [300, 0, 0x3fc0]);
    assert.deepEqual(tab.server.get(2, 0, 3), [1]);
    assert.deepEqual(tab.replies, [
      {
        alink: { request: 'token' },
        device: { productKey: 'a1Pump', deviceName: 'pump-2' },
        payload: {},
        code: 200,
        reason: '',
      },
    ]);
  });

  it('writes some bits of a register once it knows the others', () => {
    const tab = runningTab();
    tab.server.set(1, 4, 0x13, 0xab00);
    tab.set('pump-1', { mode: 3 });
    assert.equal(tab.replies[0]?.code, 460);
    assert.match(String(tab.replies[0]?.reason), /mode: .*must be read first/);
    tab.clock(1000);
    tab.set('pump-1', { mode: 3 });
    assert.equal(tab.replies[1]?.code, 200);
    assert.deepEqual(tab.server.get(1, 4, 0x13), [0xab03]);
  });

  it('writes nothing when one value cannot be written', () => {
    const cases = [
      [{ valve: 1, temperature: 1e6 }, /temperature: 1000000 is not from -3276\.8 to 3276\.7/],
      [{ valve: 1, other: 1 }, /other: cannot be written/],
      [[1], /not an object/],
    ] as const;
    for (const [payload, reason] of cases) {
      const tab = runningTab();
      tab.set('pump-1', payload);
      assert.equal(tab.server.requests.length, 0);
      assert.equal(tab.replies.length, 1);
      assert.equal(tab.replies[0]?.code, 460);
      assert.match(String(tab.replies[0]?.reason), reason);
    }
  });

  it('answers 400 once when the device does not take a value', () => {
    const tab = runningTab();
    tab.server.away.add(1);
    tab.set('pump-1', { temperature: 1, valve: 0 });
    assert.deepEqual(
      tab.replies.map(({ code, reason }) => [code, reason]),
      [[400, 'Timed out']],
    );
  });

  it('leaves requests to devices of other servers alone', () => {
    const tab = runningTab();
    tab.set('meter-1', { energy: 1 });
    tab.set('nobody', { valve: 1 });
    assert.deepEqual([tab.replies, tab.server.requests], [[], []]);
  });

  it('an empty property set is answered', () => {
    const tab = runningTab();
    tab.set('pump-1', {});
    assert.equal(tab.replies[0]?.code, 200);
  });
});
