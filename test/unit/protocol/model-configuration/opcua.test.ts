import assert from 'node:assert/strict';
import vm from 'node:vm';
import { describe, it } from 'mocha';
import type { Json, JsonObject } from '../../../../protocol';
import {
  type FlowNode,
  generateFlow,
  readModelConfiguration,
} from '../../../../protocol/model-configuration';

const OPTIONS = { gateway: 'a11ce0de00000001' };
const parameter = (identifier: string, type: string) => ({
  identifier,
  name: identifier,
  dataType: { type, specs: {} },
});
const PLANT: JsonObject = {
  modelList: [
    {
      profile: { productKey: 'a1Boiler' },
      properties: [
        { identifier: 'temperature', displayName: 'Temp.1' },
        { identifier: 'burner', displayName: 'Burner' },
        { identifier: 'total', displayName: 'Total' },
      ],
      services: [
        {
          identifier: 'mix',
          displayName: 'Mix',
          inputData: [
            { identifier: 'seconds', index: 1 },
            { identifier: 'recipe', index: 0 },
          ],
          outputData: [
            { identifier: 'batch', index: 1 },
            { identifier: 'ok', index: 0 },
          ],
        },
      ],
      events: [
        {
          identifier: 'overheat',
          displayName: 'Overheat alarm',
          outputData: [
            { identifier: 'value', index: 1 },
            { identifier: 'where', index: 0 },
          ],
        },
      ],
    },
  ],
  serverList: [
    {
      url: 'opc.tcp://10.0.0.9:4840',
      serverId: 'ua',
      name: 'PLC',
      userName: 'reader',
      password: 'AAAA',
      secPolicy: 'Basic256',
      secMode: 'Sign',
    },
  ],
  deviceList: [
    {
      productKey: 'a1Boiler',
      deviceName: 'boiler-1',
      deviceConfig: { serverId: 'ua', displayNamePath: 'Objects/Hall 1/Boiler 1' },
    },
    {
      productKey: 'a1Boiler',
      deviceName: 'boiler-2',
      deviceConfig: { serverId: 'ua', displayNamePath: 'Hall 1.Boiler 2' },
    },
  ],
  tslList: [
    {
      profile: { productKey: 'a1Boiler' },
      properties: [
        { identifier: 'temperature', name: 't', accessMode: 'r', dataType: { type: 'double', specs: {} } },
        { identifier: 'burner', name: 'b', accessMode: 'rw', dataType: { type: 'bool', specs: {} } },
        { identifier: 'total', name: 'n', accessMode: 'rw', dataType: { type: 'text', specs: {} } },
      ],
      services: [
        {
          identifier: 'mix',
          name: 'mix',
          callType: 'sync',
          inputData: [parameter('recipe', 'text'), parameter('seconds', 'int')],
          outputData: [parameter('ok', 'bool'), parameter('batch', 'int')],
        },
      ],
      events: [
        {
          identifier: 'overheat',
          name: 'overheat',
          type: 'alert',
          outputData: [parameter('where', 'text'), parameter('value', 'double')],
        },
      ],
    },
  ],
};

type Message = { [name: string]: unknown };
const nodeId = (namespace: number, value: number | string) => ({
  identifierType: typeof value === 'number' ? 1 : 2,
  namespace,
  value,
});
const idText = ({ identifierType, namespace, value }: ReturnType<typeof nodeId>) =>
  `ns=${namespace};${identifierType === 1 ? 'i' : 's'}=${value}`;

/** One node of the address space. */
interface UaNode {
  id: ReturnType<typeof nodeId>;
  displayName: string;
  browseName: string;
  nodeClass: number;
  value?: unknown;
  /** Number of its type. */
  type?: number;
  children: UaNode[];
}

function uaNode(
  id: number | string,
  displayName: string,
  nodeClass: number,
  more: Partial<UaNode> = {},
): UaNode {
  const made = nodeId(typeof id === 'number' && id < 3000 ? 0 : 2, id);
  return { id: made, displayName, browseName: displayName, nodeClass, children: [], ...more };
}

const TYPE_NAMES: Record<number, string> = {
  0: 'Null',
  1: 'Boolean',
  6: 'Int32',
  9: 'UInt64',
  11: 'Double',
  12: 'String',
};

/** What `OpcUa-Client` does with messages, as its source has it, on a made-up server. */
class MadeUpClient {
  readonly nodes = new Map<string, UaNode>();
  readonly commands: Message[] = [];
  /** Answers nothing. */
  silent = false;
  writeStatus = 0;

  constructor() {
    const boiler = (name: string) =>
      uaNode(name, name, 1, {
        children: [
          uaNode(`${name}/t`, 'Temp.1', 2, { value: 71.5, type: 11 }),
          uaNode(`${name}/b`, 'Burner', 2, { value: false, type: 1 }),
          uaNode(`${name}/n`, 'Total', 2, { value: [2_097_152, 1], type: 9 }),
          uaNode(`${name}/m`, 'Mix', 4, {
            children: [
              uaNode(`${name}/m/in`, 'InputArguments', 2, {
                id: nodeId(2, 7000),
                value: [
                  { name: 'Recipe', dataType: nodeId(0, 12) },
                  { name: 'Seconds', dataType: nodeId(0, 5) },
                ],
                type: 22,
              }),
            ],
          }),
        ],
      });
    const base = uaNode(2041, 'BaseEventType', 8, {
      children: [
        uaNode(2130, 'SystemEventType', 8),
        uaNode(4001, 'PlantEvent', 8, {
          children: [
            uaNode(4002, 'Overheat alarm', 8, {
              browseName: 'OverheatType',
              children: [uaNode(4003, 'Where', 2), uaNode(4004, 'Value', 2)],
            }),
          ],
        }),
      ],
    });
    const objects = uaNode(85, 'Objects', 1, {
      children: [
        uaNode('Hall', 'Hall', 1),
        uaNode('Hall 1', 'Hall 1', 1, { children: [boiler('Boiler 1'), boiler('Boiler 2')] }),
      ],
    });
    for (const root of [objects, base]) this.#add(root);
  }

  #add(node: UaNode): void {
    this.nodes.set(idText(node.id), node);
    for (const child of node.children) this.#add(child);
  }

  at(id: string): UaNode {
    const node = this.nodes.get(id);
    assert.ok(node, id);
    return node;
  }

  /** @returns messages of its three outputs */
  take(given: Message): Message[][] {
    const msg = { ...given };
    this.commands.push({ ...given });
    if (this.silent) return [[], [], []];
    switch (msg.action) {
      case 'browse':
        msg.payload = this.at(String(msg.topic)).children.map((node) => ({ item: this.#reference(node) }));
        return [[msg], [], []];
      case 'readmultiple': {
        assert.equal(msg.topic, 'readmultiple');
        const ids = msg.payload as string[];
        const values = ids.map((id) => this.#dataValue(id));
        const each = ids.map((id, i) => ({ ...msg, topic: id, payload: values[i]?.value?.value }));
        return [each, [], [{ ...msg, topic: ids.map((id) => ({ nodeId: id })), payload: values }]];
      }
      case 'write': {
        assert.match(String(msg.topic), /^ns=/);
        if (this.writeStatus === 0) this.at(String(msg.topic)).value = msg.payload;
        const status = { _value: this.writeStatus, _name: 'BadNotWritable', _description: 'not writable' };
        return [[{ ...msg, payload: status }], [], []];
      }
      case 'method': {
        const output = [
          { dataType: 1, value: true },
          { dataType: 6, value: 42 },
        ];
        return [[{ ...msg, output, payload: output.map(({ value }) => value) }], [], []];
      }
      case 'events':
        return [[], [], []];
      default:
        assert.fail(`unknown action ${String(msg.action)}`);
    }
  }

  #reference({ id, displayName, browseName, nodeClass, value, type }: UaNode): Message {
    return {
      nodeId: id,
      displayName: { text: displayName, locale: 'en' },
      browseName: { name: browseName, namespaceIndex: id.namespace },
      nodeClass,
      value,
      dataType: TYPE_NAMES[type ?? 0],
    };
  }

  #dataValue(id: string): { value?: { value: unknown; dataType: number }; statusCode: { _value: number } } {
    const node = this.nodes.get(id);
    if (node === undefined) return { statusCode: { _value: 0x80340000 } };
    return { value: { value: node.value, dataType: node.type ?? 0 }, statusCode: { _value: 0 } };
  }
}

function scriptOf(nodes: readonly FlowNode[]): vm.Script {
  const work = nodes.find(({ func }) => String(func).includes('opcUa(plan'));
  assert.ok(work);
  return new vm.Script(`(function (msg) {${String(work.func)}\n})(msg)`);
}

class RunningTab {
  readonly client = new MadeUpClient();
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
      Date: { now: () => this.now },
    });
    const outputs = structuredClone(this.#script.runInContext(sandbox)) as Message[][];
    const [client = [], reports = [], events = [], replies = []] = outputs;
    this.reports.push(...reports);
    this.events.push(...events);
    this.replies.push(...replies);
    for (const command of client) {
      const [first = [], , third = []] = this.client.take(command);
      for (const answer of [...first, ...third]) this.send(answer);
    }
  }

  tick(): void {
    this.now += 1000;
    this.send({ topic: 'tick' });
  }
}

const flow = () => generateFlow(readModelConfiguration(PLANT), OPTIONS);
const boiler = (deviceName: string) => ({ productKey: 'a1Boiler', deviceName });

function found(): RunningTab {
  const tab = new RunningTab(flow());
  tab.tick();
  tab.tick();
  return tab;
}

describe('generated flow for OPC UA', () => {
  it('has one client and one endpoint for the server; a password only when it is given', () => {
    const endpoints = (nodes: FlowNode[]) => nodes.filter(({ type }) => type === 'OpcUa-Endpoint');
    const [endpoint] = endpoints(flow());
    assert.equal(flow().filter(({ type }) => type === 'OpcUa-Client').length, 1);
    assert.deepEqual(
      [endpoint?.endpoint, endpoint?.secpol, endpoint?.secmode, endpoint?.login, endpoint?.credentials],
      ['opc.tcp://10.0.0.9:4840', 'Basic256', 'Sign', true, { user: 'reader' }],
    );
    const passwords = new Map([['ua', 'open']]);
    const [open] = endpoints(generateFlow(readModelConfiguration(PLANT), { ...OPTIONS, passwords }));
    assert.deepEqual(open?.credentials, { user: 'reader', password: 'open' });
    // Neither decrypted nor encrypted.
    assert.ok(!JSON.stringify(flow()).includes('AAAA'));
  });

  it('finds the devices by their display names and reports their variables', () => {
    const tab = found();
    assert.deepEqual(
      tab.reports,
      ['boiler-1', 'boiler-2'].map((name) => ({
        topic: name,
        device: boiler(name),
        payload: { temperature: 71.5, burner: 0, total: '9007199254740993' },
      })),
    );
    tab.reports.length = 0;
    tab.tick();
    assert.deepEqual(tab.reports, []);
    tab.client.at('ns=2;s=Boiler 2/t').value = 72;
    tab.tick();
    assert.deepEqual(tab.reports, [
      { topic: 'boiler-2', device: boiler('boiler-2'), payload: { temperature: 72 } },
    ]);
    assert.deepEqual(tab.warnings, []);
  });

  it('gives the client one command at a time', () => {
    const tab = new RunningTab(flow());
    tab.client.silent = true;
    for (let i = 0; i < 5; i++) tab.tick();
    assert.equal(tab.client.commands.filter(({ action }) => action === 'browse').length, 1);
    for (let i = 0; i < 7; i++) tab.tick();
    assert.deepEqual(tab.warnings, ['a1Boiler/boiler-1: the server does not answer']);
    tab.client.silent = false;
    for (let i = 0; i < 50; i++) tab.tick();
    assert.equal(tab.reports.length, 2);
  });

  it('names a device and what is missing of one', () => {
    const tab = new RunningTab(flow());
    tab.client.at('ns=2;s=Hall 1').children.pop();
    tab.client.at('ns=2;s=Boiler 1').children.shift();
    for (let i = 0; i < 4; i++) tab.tick();
    assert.deepEqual(
      tab.warnings,
      ['a1Boiler/boiler-2: "Boiler 2" is not found on the server', 'a1Boiler/boiler-1: has no Temp.1'].sort(),
    );
  });

  it('looks again when the server has given its nodes other ids', () => {
    const tab = found();
    tab.client.nodes.delete('ns=2;s=Boiler 1/t');
    tab.tick();
    const before = tab.client.commands.length;
    tab.tick();
    assert.ok(
      tab.client.commands
        .slice(before)
        .some(({ action, topic }) => action === 'browse' && topic === 'ns=0;i=85'),
    );
  });

  it('a newer flow finds what it has more, and fewer devices do no harm', () => {
    const tab = found();
    const newer = structuredClone(PLANT);
    (newer.deviceList as Json[]).shift();
    const [model] = newer.modelList as Array<{ properties: Json[] }>;
    model?.properties.push({ identifier: 'again', displayName: 'Temp.1' });
    tab.reports.length = 0;
    tab.replace(generateFlow(readModelConfiguration(newer), OPTIONS));
    tab.tick();
    tab.tick();
    assert.deepEqual(tab.reports, [
      { topic: 'boiler-2', device: boiler('boiler-2'), payload: { again: 71.5 } },
    ]);
  });

  it('writes properties and answers', () => {
    const tab = found();
    tab.send({
      device: boiler('boiler-1'),
      alink: { request: 'a' },
      payload: { burner: 1, total: '9007199254740993' },
    });
    const writes = tab.client.commands.filter(({ action }) => action === 'write');
    assert.deepEqual(
      writes.map(({ topic, datatype, payload }) => [topic, datatype, payload]),
      [
        ['ns=2;s=Boiler 1/b', 'Boolean', true],
        ['ns=2;s=Boiler 1/n', 'UInt64', { value: [2_097_152, 1] }],
      ],
    );
    assert.deepEqual(tab.replies, [
      { alink: { request: 'a' }, device: boiler('boiler-1'), payload: {}, code: 200, reason: '' },
    ]);
  });

  it('answers why a property was not written', () => {
    const tab = found();
    const set = (payload: Json, deviceName = 'boiler-1') => {
      tab.send({ device: boiler(deviceName), alink: { request: 'a' }, payload });
      const { code, reason } = tab.replies.pop() ?? {};
      return [code, reason];
    };
    tab.client.writeStatus = 0x803b0000;
    assert.deepEqual(set({ burner: 1 }), [400, 'not writable']);
    assert.deepEqual(set({ other: 1 }), [460, 'other: is not on the server']);
    assert.equal(set({ total: 'many' })[0], 460);
    assert.deepEqual(set({ burner: 1 }, 'of another server'), [undefined, undefined]);
    const early = new RunningTab(flow());
    early.send({ device: boiler('boiler-1'), alink: { request: 'a' }, payload: { burner: 1 } });
    assert.equal(early.replies[0]?.code, 400);
  });

  it('calls methods with arguments and outputs by their indices', () => {
    const tab = found();
    const alink = { request: 'a', identifier: 'mix' };
    tab.send({ device: boiler('boiler-2'), alink, payload: { seconds: 20, recipe: 'A' } });
    const [call] = tab.client.commands.filter(({ action }) => action === 'method');
    assert.deepEqual(
      [call?.objectId, call?.methodId, call?.inputArguments],
      [
        'ns=2;s=Boiler 2',
        'ns=2;s=Boiler 2/m',
        [
          { dataType: 'String', value: 'A' },
          { dataType: 'UInt16', value: 20 },
        ],
      ],
    );
    assert.deepEqual(tab.replies, [
      { alink, device: boiler('boiler-2'), payload: { ok: 1, batch: 42 }, code: 200, reason: '' },
    ]);
    tab.send({ device: boiler('boiler-2'), alink: { request: 'b', identifier: 'stir' }, payload: {} });
    assert.equal(tab.replies[1]?.code, 400);
  });

  it('subscribes events once, again after a while, and reports them by their indices', () => {
    const tab = found();
    tab.tick();
    const subscriptions = () => tab.client.commands.filter(({ action }) => action === 'events');
    assert.equal(subscriptions().length, 1);
    assert.deepEqual(subscriptions()[0]?.customEventFields, ['2:Where', '2:Value']);
    const payload = {
      EventId: '0x01',
      OverheatType: nodeId(2, 4002),
      'Boiler 2': nodeId(2, 'Boiler 2'),
      Severity: 500,
      '2:Where': 'top',
      '2:Value': 130.5,
    };
    tab.send({ topic: '0x01', payload });
    // The client leaves out what is 0.
    const { '2:Value': _zero, ...zero } = payload;
    tab.send({ topic: '0x02', payload: zero });
    tab.send({ topic: '0x03', payload: { ...payload, OverheatType: nodeId(2, 9) } });
    tab.send({ topic: '0x04', payload: { ...payload, 'Boiler 2': nodeId(2, 'Boiler 9') } });
    const event = (value: number) => ({
      topic: 'boiler-2',
      device: boiler('boiler-2'),
      alink: { identifier: 'overheat' },
      payload: { where: 'top', value },
    });
    assert.deepEqual(tab.events, [event(130.5), event(0)]);
    for (let i = 0; i < 62; i++) tab.tick();
    assert.equal(subscriptions().length, 2);
  });
});
