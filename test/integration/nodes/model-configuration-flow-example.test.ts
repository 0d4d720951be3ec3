import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { MadeUpModbus } from '../../support/modbus-server';
import { ModbusTcp } from '../../support/modbus-tcp';
import { freePort } from '../../support/node-red';
import { type FlowNode, type Runtime, startRuntime } from '../../support/runtime';

const EXAMPLE = join(__dirname, '../../../examples/25-gateway-model-configuration.json');

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
    const shown = named('flow to import');
    const tapped = example.map((node) => (node === shown ? { ...node, type: 'test-sink' } : node));
    await red.deploy(tapped);
    const made = red.next(shown.id, undefined, 20_000);
    red.send(named('two pumps').id, {});
    const flow = JSON.parse(String((await made).payload)) as FlowNode[];
    await red.deploy([...example, ...flow]);

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
  });
});
