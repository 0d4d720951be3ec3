import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import vm from 'node:vm';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import type { JsonObject } from '../../../../protocol';
import {
  type FlowNode,
  generateFlow,
  readModelConfiguration,
} from '../../../../protocol/model-configuration';
import { widthOf } from '../../../../protocol/model-configuration/flow/width';
import { BOILER_HOUSE } from '../../../support/boiler-house';
import { FunctionNodes } from '../../../support/generated-flow';
import { example } from './documents';
import { PLANT } from './plant';

const OPTIONS = { gateway: 'a11ce0de00000001', name: 'hall 1' };
const plant = () => generateFlow(readModelConfiguration(PLANT), OPTIONS);

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

/** A document with names of somebody else's choice wherever it has names. */
function named(productKey: string, deviceName: string, text: string): JsonObject {
  return {
    modelList: [
      {
        profile: { productKey },
        properties: [
          {
            identifier: 'level',
            operateType: 'holdingRegister',
            registerAddress: '0x1',
            originalDataType: { type: 'uint16' },
          },
          { identifier: 'speed', displayName: text },
          { identifier: text, displayName: text },
        ],
      },
    ],
    serverList: [
      { protocol: 'RTU', serialPort: text, name: text, serverId: 'rtu' },
      { protocol: 'TCP', ip: text, port: 502, name: text, serverId: text },
      { protocol: 'TCP', ip: '10.0.0.5', port: 502, name: text, serverId: 'tcp' },
      { url: text, userName: text, name: text, serverId: 'opcua' },
    ],
    deviceList: [
      { productKey, deviceName, deviceConfig: { serverId: 'tcp', slaveId: 1 } },
      { productKey, deviceName: `${deviceName}1`, deviceConfig: { serverId: 'rtu', slaveId: 1 } },
      { productKey, deviceName: `${deviceName}2`, deviceConfig: { serverId: text, slaveId: 1 } },
      {
        productKey,
        deviceName: `${deviceName}3`,
        deviceConfig: { serverId: 'opcua', displayNamePath: text },
      },
    ],
    tslList: [],
  };
}

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
          if (typeof reference === 'string' && node.type !== 'OpcUa-Endpoint')
            assert.ok(ids.has(reference), node.type);
        }
        if ('device' in node) assert.equal(node.device, OPTIONS.gateway);
        if (node.type === 'function')
          assert.doesNotThrow(() => new vm.Script(`(function () {${String(node.func)}\n})`));
        if (node.z === undefined) continue;
        assert.ok(tabs.has(node.z));
        // Settings have no place.
        if (node.type === 'modbus-client' || node.type === 'OpcUa-Endpoint') continue;
        for (const target of (node.links ?? []) as string[]) assert.ok(ids.has(target));
        assert.ok(Number(node.x) >= 100 && Number(node.y) >= 40 && Number(node.x) % 10 === 0);
        const place = `${node.z} ${node.x} ${node.y}`;
        assert.ok(!places.has(place), `two nodes at ${place}`);
        places.add(place);
      }
    });
  }

  it('no node lies on another one or on its status, in either language', () => {
    for (const [document, language] of [example(), PLANT, BOILER_HOUSE].flatMap((one) =>
      ['en-US', 'zh-CN'].map((tongue) => [one, tongue] as const),
    )) {
      const flow = generateFlow(readModelConfiguration(document), { ...OPTIONS, language });
      const placed = flow.filter(({ x }) => x !== undefined);
      for (const [i, a] of placed.entries()) {
        assert.ok(Number(a.x) - widthOf(a) / 2 >= 20, String(a.name));
        for (const b of placed.slice(i + 1)) {
          const beside = Math.abs(Number(a.x) - Number(b.x)) >= (widthOf(a) + widthOf(b)) / 2;
          // Headings have no status.
          const distance = a.type === 'comment' ? 40 : 60;
          const below = Math.abs(Number(a.y) - Number(b.y)) >= distance;
          assert.ok(a.z !== b.z || beside || below, `${a.name} and ${b.name} of ${language}`);
        }
      }
    }
  });

  it('names in a document are never code, nor settings of the machine', () => {
    const hostile = fc.oneof(
      fc.string({ minLength: 1, maxLength: 20, unit: 'binary' }),
      fc.constantFrom(
        `\`\${globalThis.hacked = 1}\``,
        "';globalThis.hacked = 1;//",
        '");globalThis.hacked = 1;//',
        '*/globalThis.hacked = 1/*',
        '\u2028globalThis.hacked = 1//',
        '\\";globalThis.hacked = 1;//',
        '</script><script>hacked = 1</script>',
        `\${HOME}`,
        '$(HOME)',
        '__proto__',
        'constructor',
      ),
    );
    fc.assert(
      fc.property(hostile, hostile, hostile, fc.constantFrom('en-US', 'zh-CN'), (a, b, c, language) => {
        const flow = generateFlow(readModelConfiguration(named(a, b, c)), { ...OPTIONS, language });
        for (const node of flow) {
          const strings = Object.values(node).filter((value) => typeof value === 'string');
          for (const text of strings) assert.doesNotMatch(text, /^\$[({]\S+[)}]$/);
          if (node.type !== 'function') continue;
          const functions = new FunctionNodes(flow);
          functions.run(node, { topic: '', payload: 1000 });
          assert.equal(functions.globals(node).hacked, undefined);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('a product that is called like the prototype of objects is polled like any other', () => {
    const configuration = readModelConfiguration(named('__proto__', 'b', 'c'));
    const [device] = configuration.devices;
    assert.equal(device?.productKey, '__proto__');
    const flow = generateFlow(configuration, OPTIONS);
    const functions = new FunctionNodes(flow);
    const nodeNamed = (name: string) => flow.find((node) => node.type === 'function' && node.name === name);
    const [ask, decode] = [nodeNamed('what to read'), nodeNamed('decode')];
    assert.ok(ask && decode);
    const [[request] = []] = functions.run(ask, { payload: 1000 });
    const [[report] = []] = functions.run(decode, { topic: request?.topic ?? '', payload: [7] });
    assert.deepEqual(report?.payload, { level: 7 });
  });

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

  it('keeps its ids when devices, registers and servers come to it', () => {
    const [pump = {}, ...models] = PLANT.modelList as JsonObject[];
    const properties = pump.properties as JsonObject[];
    const more = {
      ...properties[0],
      identifier: 'more',
      registerAddress: '0x80',
      pollingTime: 7000,
    } as JsonObject;
    const newer = generateFlow(
      readModelConfiguration({
        ...PLANT,
        modelList: [{ ...pump, properties: [more, ...properties] }, ...models],
        serverList: [
          { protocol: 'TCP', ip: '10.0.0.6', port: 502, serverId: 'tcp-0' },
          ...(PLANT.serverList as JsonObject[]),
        ],
        deviceList: [
          { productKey: 'a1Pump', deviceName: 'pump-0', deviceConfig: { serverId: 'tcp-0', slaveId: 1 } },
          ...(PLANT.deviceList as JsonObject[]),
        ],
      }),
      OPTIONS,
    );
    const byId = new Map(newer.map(({ id, type }) => [id, type]));
    for (const { id, type } of plant()) assert.equal(byId.get(id), type);
    const tellsAnew = (flow: FlowNode[]) => flow.find(({ type }) => type === 'alink-lifecycle')?.info;
    assert.notEqual(tellsAnew(newer), tellsAnew(plant()));
  });

  it('needs nothing besides node-red-contrib-modbus and this collection', () => {
    const known =
      /^(tab|comment|inject|function|debug|catch|link (in|out)|modbus-(client|flex-getter|flex-write)|alink-[a-z-]+)$/;
    for (const { type } of plant()) assert.match(type, known);
  });

  it('speaks Chinese where the runtime does', () => {
    for (const document of [PLANT, BOILER_HOUSE]) {
      const flow = generateFlow(readModelConfiguration(document), { ...OPTIONS, language: 'zh-CN' });
      const shown = flow.flatMap(({ type, name, info, outputs, outputLabels }) => {
        if (type === 'tab') return [info];
        // Named after the server of the document.
        if (type === 'modbus-client' || type === 'OpcUa-Endpoint') return [];
        if (Number(outputs) > 1) assert.equal((outputLabels as string[]).length, outputs);
        return [name, ...(type === 'comment' ? [info] : []), ...((outputLabels as string[]) ?? [])];
      });
      assert.ok(shown.length > 20);
      for (const text of shown) assert.match(String(text), /\p{Script=Han}/u);
    }
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
