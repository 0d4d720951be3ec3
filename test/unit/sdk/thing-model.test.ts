import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'mocha';
import type { Json } from '../../../protocol';
import { closeAllDevices, type Device, type DeviceOptions, openDevice } from '../../../sdk';
import { withSharedModel } from '../../../sdk/shared-thing-models';
import { answer, reply, ScriptedBroker } from '../../support/scripted-broker';
import { isError, rejection, state } from '../../support/sdk-device';

const DOCUMENT: Json = {
  profile: { productKey: 'a1Test' },
  properties: [
    { identifier: 'temperature', name: 'T', dataType: { type: 'float', specs: { min: '0', max: '50' } } },
    { identifier: 'on', name: 'On', dataType: { type: 'bool', specs: { '0': 'off', '1': 'on' } } },
  ],
  events: [
    {
      identifier: 'hot',
      name: 'Hot',
      type: 'alert',
      outputData: [{ identifier: 't', name: 'T', dataType: { type: 'double', specs: {} } }],
    },
  ],
  services: [],
};

describe('thing model of a device', () => {
  let broker: ScriptedBroker;
  let folder: string;

  beforeEach(async () => {
    broker = await ScriptedBroker.start();
    folder = mkdtempSync(join(tmpdir(), 'alink-model-'));
  });

  afterEach(async () => {
    await closeAllDevices();
    await broker.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  function open(thingModel: NonNullable<DeviceOptions['thingModel']>, deviceName = 'lamp-1'): Device {
    return openDevice({
      identity: { productKey: 'a1Test', deviceName },
      platform: { kind: 'custom', host: '127.0.0.1' },
      transport: 'tcp',
      port: broker.port,
      authentication: { kind: 'deviceSecret', deviceSecret: 'secret' },
      thingModel,
      timing: { backoff: { first: 10, longest: 20 }, endMs: 50 },
    });
  }

  function published(): string[] {
    return broker.peers.flatMap(({ received }) =>
      received.flatMap((packet) => (packet.cmd === 'publish' ? [packet.payload.toString()] : [])),
    );
  }

  /** The platform gives this document when asked for one. */
  function gives(document: () => Json): void {
    broker.script.packet = (peer, packet) => {
      if (packet.cmd === 'publish' && packet.topic.endsWith('dsltemplate/get')) {
        peer.push(`${packet.topic}_reply`, reply(packet.payload.toString(), { data: document() }));
      } else answer(peer, packet);
    };
  }

  it('writes values as their types want them', async () => {
    const device = open({ mode: 'strict', document: DOCUMENT });
    device.connect();
    await state(device, 'online');
    const { method, warnings } = await device.postProperties({ temperature: 21, on: true });
    await device.postEvent('hot', { t: 60 });
    assert.deepEqual([method, warnings], ['thing.event.property.post', []]);
    const [properties = '', event = ''] = published();
    assert.match(properties, /"params":\{"temperature":21\.0,"on":1\}/);
    assert.match(event, /"value":\{"t":60\.0\}/);
    assert.match(event, /"method":"thing\.event\.hot\.post"/);
  });

  it('refuses what breaks it when strict, and nothing is sent', async () => {
    const device = open({ mode: 'strict', document: DOCUMENT });
    device.connect();
    await state(device, 'online');
    const error = await rejection(device.postProperties({ temperature: 51, wrong: 1 }));
    assert.equal(error.key, 'thingModel');
    assert.deepEqual(
      error.problems.map(({ path, rule }) => [path, rule]),
      [
        ['temperature', 'outOfRange'],
        ['wrong', 'unknownIdentifier'],
      ],
    );
    assert.equal((await rejection(device.postEvent('cold', {}))).key, 'thingModel');
    assert.deepEqual(published(), []);
  });

  it('sends it with a warning, or as it is, when asked to', async () => {
    for (const [mode, count] of [
      ['warn', 1],
      ['off', 0],
    ] as const) {
      const device = open({ mode, document: DOCUMENT });
      device.connect();
      await state(device, 'online');
      const { warnings } = await device.postProperties({ temperature: 51 });
      assert.equal(warnings.length, count, mode);
      await device.release();
    }
    assert.match(published()[0] ?? '', /"temperature":51\.0/);
    assert.match(published()[1] ?? '', /"temperature":51[,}]/);
  });

  it('is refused when it cannot be read, with the field named', () => {
    assert.throws(() => open({ mode: 'strict', document: { properties: 5 } }), isError('badSettings'));
  });

  it('is one for all devices with the same document, however they come by it', async () => {
    const copy = (): Json => JSON.parse(JSON.stringify(DOCUMENT)) as Json;
    const first = open({ mode: 'strict', document: copy() });
    const second = open({ mode: 'strict', document: copy() }, 'lamp-2');
    assert.ok(first.thingModel);
    assert.equal(second.thingModel, first.thingModel);
    gives(copy);
    const fetching = open({ mode: 'strict', fetch: true }, 'lamp-3');
    fetching.connect();
    await state(fetching, 'online');
    await fetching.postProperties({ temperature: 1 }); // answered after the document, which was asked for first
    assert.equal(fetching.thingModel, first.thingModel);
    const other = open({ mode: 'strict', document: { ...(copy() as object), events: [] } }, 'lamp-4');
    assert.equal(other.thingModel?.events.size, 0);
    assert.equal(first.thingModel.events.size, 1);
  });

  it('is kept once, also by the options of those who have it', () => {
    const options = (document: Json) => ({
      identity: { productKey: 'a1Test', deviceName: 'lamp-1' },
      thingModel: { mode: 'strict' as const, document },
    });
    const [one, two] = [DOCUMENT, JSON.parse(JSON.stringify(DOCUMENT)) as Json].map((document) =>
      withSharedModel(options(document)),
    );
    assert.deepEqual(two?.thingModel.document, DOCUMENT);
    assert.equal(two?.thingModel.document, one?.thingModel.document);
    const unreadable = options({ properties: 5 });
    assert.equal(withSharedModel(unreadable), unreadable);
  });

  it('is fetched, kept on disk, and known to the first report after a restart', async () => {
    const cacheFile = join(folder, 'models', 'lamp-1.json');
    gives(() => DOCUMENT);
    const device = open({ mode: 'strict', fetch: true, cacheFile });
    device.connect();
    await state(device, 'online');
    while (!readable(cacheFile)) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(device.thingModel?.properties.get('temperature')?.name, 'T');
    await device.release();
    assert.deepEqual(readdirSync(join(folder, 'models')), ['lamp-1.json']);

    const offline = open({ mode: 'strict', fetch: true, cacheFile });
    assert.equal((await rejection(offline.postProperties({ temperature: 51 }))).key, 'thingModel');
  });

  it('is fetched again after each reconnect, and stays when the answer is none', async () => {
    const cacheFile = join(folder, 'lamp-1.json');
    const answers: Json[] = [DOCUMENT, 'nonsense', { ...DOCUMENT, events: [] }];
    let asked = 0;
    gives(() => answers[asked++] ?? null);
    const device = open({ mode: 'strict', fetch: true, cacheFile });
    device.connect();
    for (const events of [1, 1, 0]) {
      await state(device, 'online');
      await device.postProperties({ temperature: 1 }); // answered after the document, which was asked for first
      await new Promise((resolve) => setImmediate(resolve));
      assert.equal(device.thingModel?.events.size, events);
      if (events === 0) break; // a third kick would be a conflict
      broker.last.kick();
      await state(device, 'waiting');
    }
    assert.equal(asked, 3);
  });

  it('is fetched anew when the file is damaged', async () => {
    const cacheFile = join(folder, 'lamp-1.json');
    writeFileSync(cacheFile, '{"properties":[{');
    gives(() => DOCUMENT);
    const device = open({ mode: 'strict', fetch: true, cacheFile });
    device.connect();
    await state(device, 'online');
    while (!readable(cacheFile)) await new Promise((resolve) => setImmediate(resolve));
    assert.ok(device.thingModel);
  });
});

function readable(file: string): boolean {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) !== null;
  } catch {
    return false; // not there, or not written yet
  }
}
