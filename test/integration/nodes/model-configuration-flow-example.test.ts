import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { configPush, Panel, platformWith } from '../../support/config-push-nodes';
import { device, sink, statusOf } from '../../support/flows';
import { MadeUpModbus } from '../../support/modbus-server';
import { ModbusTcp } from '../../support/modbus-tcp';
import { freePort } from '../../support/node-red';
import { type FlowNode, type Runtime, startRuntime } from '../../support/runtime';
import { PLANT } from '../../unit/protocol/model-configuration/plant';

const EXAMPLE = join(__dirname, '../../../examples/25-gateway-model-configuration.json');

const PUMP_1 = { productKey: 'a1Pump25', deviceName: 'pump-01' };

describe('25-gateway-model-configuration.json with a Modbus server', () => {
  let modbus: ModbusTcp;
  let red: Runtime;
  before(async () => {
    modbus = await ModbusTcp.start(new MadeUpModbus());
    red = await startRuntime();
  });
  after(async () => {
    await red.stop();
    await modbus.stop();
  });

  it('the flow that it makes brings the registers of the pumps to the platform', async () => {
    modbus.memory.set(1, 4, 0x10, 215);
    modbus.memory.set(2, 4, 0x10, 0xffff);
    modbus.memory.set(2, 0, 3, 1);
    const panelPort = await freePort();
    const text = readFileSync(EXAMPLE, 'utf8').replaceAll('18925', String(panelPort));
    const example = JSON.parse(text.replaceAll('15025', String(modbus.port))) as FlowNode[];
    const named = (name: string) => {
      const found = example.find((node) => node.name === name);
      assert.ok(found, name);
      return found;
    };
    const shown = named('flow, shortened');
    const tapped = example.map((node) => (node === shown ? { ...node, type: 'test-sink' } : node));
    await red.deploy(tapped);
    const made = red.next(shown.id, undefined, 20_000);
    red.send(named('two pumps').id, {});
    await made;
    // As a user gets it: a debug panel cuts long texts.
    const file = await fetch(`${new URL(red.url).origin}/http/gateway-flow.json`);
    const flow = (await file.json()) as FlowNode[];
    const atPlatform = named('at the platform');
    const watched = example.map((node) => (node === atPlatform ? { ...node, type: 'test-sink' } : node));
    await red.deploy([...watched, ...flow]);

    const end = Date.now() + 15_000;
    const values = async (deviceName: string) => {
      const response = await fetch(`http://127.0.0.1:${panelPort}/emulator/devices/a1Pump25/${deviceName}`);
      const { properties = {} } = (await response.json()) as {
        properties?: Record<string, { value: unknown }>;
      };
      return { temperature: properties.temperature?.value, valve: properties.valve?.value };
    };
    for (const [deviceName, expected] of [
      ['pump-01', { temperature: 21.5, valve: 0 }],
      ['pump-02', { temperature: -0.1, valve: 1 }],
    ] as const) {
      let seen = await values(deviceName);
      while (seen.valve === undefined || seen.temperature === undefined) {
        assert.ok(Date.now() < end, `${deviceName}: ${JSON.stringify(seen)}`);
        seen = await values(deviceName);
      }
      assert.deepEqual(seen, expected);
    }

    const asked = red.next(atPlatform.id, undefined, 10_000);
    red.send(named('values of pump-01').id, { device: PUMP_1 });
    assert.match(JSON.stringify((await asked).payload), /"Identifier":"temperature"[^}]*"21.5"/);
    const done = red.next(atPlatform.id, undefined, 10_000);
    red.send(named('open its valve').id, { payload: { valve: 1 }, device: PUMP_1 });
    await done;
    while ((await values('pump-01')).valve !== 1) assert.ok(Date.now() < end, 'the valve is still shut');
    assert.deepEqual(modbus.memory.get(1, 0, 3), [1]);
  });

  it('a flow of its user decodes in a function node what a flex getter answers', async () => {
    modbus.memory.set(1, 4, 0x10, 215);
    const [hub, client] = ['gate', 'client'];
    const connected = once(red.events, 'test-modbus:connected');
    const online = red.next('statuses', ({ status }) => status?.fill === 'green');
    await red.deploy([
      platformWith([{ productKey: 'a1Hub', nodeType: 'gateway' }]),
      device({
        id: hub,
        role: 'gateway',
        productKey: 'a1Hub',
        deviceName: 'hub-01',
        thingModelSource: 'none',
      }),
      configPush({ device: hub, output: 'modbus', wires: [['reads']] }),
      {
        id: 'reads',
        z: 'tab',
        type: 'switch',
        property: 'alink.part',
        propertyType: 'msg',
        rules: [{ t: 'eq', v: 'read', vt: 'str' }],
        outputs: 1,
        wires: [['getter']],
      },
      {
        id: client,
        type: 'modbus-client',
        tcpHost: '127.0.0.1',
        tcpPort: modbus.port,
        clientTimeout: 1000,
        reconnectTimeout: 2000,
      },
      {
        id: 'getter',
        z: 'tab',
        type: 'modbus-flex-getter',
        server: client,
        keepMsgProperties: true,
        wires: [['decode'], []],
      },
      {
        id: 'decode',
        z: 'tab',
        type: 'function',
        func: `const { values, problems } = modbus.readValues(msg.read, msg.payload);
          return { device: msg.device, payload: values };`,
        libs: [{ var: 'modbus', module: 'node-red-contrib-alink/model-configuration' }],
        outputs: 1,
        wires: [['sink']],
      },
      sink(),
      ...statusOf('config'),
    ]);
    await Promise.all([connected, online]);
    const read = red.next('sink', ({ payload }) => 'temperature' in Object(payload));
    const panel = await Panel.of(red);
    await panel.post('devices/a1Hub/hub-01/model-configuration', PLANT);
    const { payload, device: names } = await read;
    assert.deepEqual(structuredClone(names), { productKey: 'a1Pump', deviceName: 'pump-1' });
    assert.equal(Object(payload).temperature, 21.5);
  });
});
