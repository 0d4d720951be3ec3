import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import * as models from '@alicloud/iot20180120';
import { describe, it } from 'mocha';
import { DEFAULT_LIMITS, type FileFault, type MessageFault, startEmulator } from '../../../emulator';
import { ACTION_NAMES } from '../../../emulator/openapi/endpoint';
import { cloudClient } from '../../support/cloud';
import { nextMessage, onlineLamp } from '../../support/emulator';

const page = readFileSync(join(resolve(__dirname, '..', '..', '..'), 'docs', 'emulator.md'), 'utf8');
const files = [...page.matchAll(/```json\n(\{\n.*?\n\})\n```/gs)].map(([, json = '']) => json);

const MESSAGE_FAULTS: ReadonlyArray<MessageFault['action']> = [
  'drop',
  'delay',
  'duplicate',
  'refuse',
  'loseReply',
  'malformReply',
  'kick',
];
const FILE_FAULTS: ReadonlyArray<FileFault['action']> = [
  'cutAt',
  'corrupt',
  'wrongDigest',
  'wrongSize',
  'urlExpired',
  'urlAltered',
  'ignoreRange',
  'redirect',
  'status',
  'slow',
  'wrongCrc',
];

function productsFile(part: string): unknown {
  const file = files.find((json) => json.includes(part));
  assert.ok(file, `no products file with ${part}`);
  return JSON.parse(file);
}

describe('docs/emulator.md', () => {
  it('has products files that are accepted', async () => {
    assert.ok(files.length >= 3);
    for (const json of files) await (await startEmulator({ config: JSON.parse(json) })).close();
  });

  it('shows two devices that talk', async () => {
    const emulator = await startEmulator({ config: productsFile('"routes"') });
    const phone = await onlineLamp(
      emulator,
      { productKey: 'a1Phone', deviceName: 'phone-1' },
      { deviceSecret: 'secret-2' },
    );
    await phone.subscribeAsync('/a1Phone/phone-1/user/#', { qos: 1 });
    const status = nextMessage(phone);
    const lamp = await onlineLamp(
      emulator,
      { productKey: 'a1Lamp', deviceName: 'lamp-1' },
      { deviceSecret: 'secret-1' },
    );
    assert.equal((await status).topic, '/a1Phone/phone-1/user/status/lamp-1');
    await lamp.subscribeAsync('/a1Lamp/lamp-1/user/get', { qos: 1 });
    const atLamp = nextMessage(lamp);
    await phone.publishAsync('/a1Phone/phone-1/user/update', 'on', { qos: 1 });
    assert.equal((await atLamp).text, 'on');
    const values = nextMessage(phone);
    await lamp.publishAsync('/sys/a1Lamp/lamp-1/thing/event/property/post', '{"id":"1","params":{"on":1}}');
    assert.equal(JSON.parse((await values).text).items.on.value, 1);
    await Promise.all([phone.endAsync(true), lamp.endAsync(true)]);
    await emulator.close();
  });

  it('shows a passthrough product that reports and is set', async () => {
    const emulator = await startEmulator({ config: productsFile('"script"') });
    const identity = { productKey: 'a1Meter', deviceName: 'meter-1' };
    const S = '/sys/a1Meter/meter-1/thing/model';
    const meter = await onlineLamp(emulator, identity, { deviceSecret: 'secret-1', parameters: { _ss: 1 } });
    const next = () =>
      new Promise<number[]>((resolve) => meter.once('message', (_, bytes) => resolve([...bytes])));
    const answer = next();
    await meter.publishAsync(`${S}/up_raw`, Buffer.from([0, 0, 0, 0, 7, 1, 44]));
    assert.deepEqual(await answer, [2, 0, 0, 0, 7, 0]);
    assert.equal(emulator.devices.get(identity)?.properties.power?.value, 300);
    const request = next();
    const { body } = await cloudClient(emulator).setDeviceProperty(
      new models.SetDevicePropertyRequest({ ...identity, items: '{"relay":1}' }),
    );
    const requestId = body?.data?.messageId;
    const id = [...Buffer.from(Number(requestId).toString(16).padStart(8, '0'), 'hex')];
    assert.deepEqual(await request, [1, ...id, 1]);
    await meter.publishAsync(`${S}/down_raw_reply`, Buffer.from([3, ...id, 0]));
    const told = await emulator.messages.waitFor(({ topic }) =>
      topic.endsWith('/thing/downlink/reply/message'),
    );
    assert.match(told.text, new RegExp(`"requestId":"${requestId}","code":200`));
    await meter.endAsync(true);
    await emulator.close();
  });

  it('shows firmware that is offered, and a configuration', async () => {
    const emulator = await startEmulator({ config: productsFile('"firmware"') });
    const identity = { productKey: 'a1Pump', deviceName: 'pump-1' };
    const pump = await onlineLamp(emulator, identity, { deviceSecret: 'secret-1', parameters: { _ss: 1 } });
    const offer = nextMessage(pump);
    const [mcu, whole] = emulator.firmware.list();
    assert.throws(() => emulator.firmware.upgrade(mcu?.firmwareId ?? ''), { code: 'NotVerified' });
    emulator.firmware.upgrade(whole?.firmwareId ?? '');
    const { data } = JSON.parse((await offer).text);
    assert.equal(await (await fetch(data.url)).text(), 'the new program');
    assert.deepEqual(JSON.parse(emulator.configuration.get('a1Pump').content ?? ''), { interval: 60 });
    await pump.endAsync(true);
    await emulator.close();
  });

  it('names every limit', () => {
    for (const name of Object.keys(DEFAULT_LIMITS)) assert.ok(page.includes(`\`${name}\``), name);
  });

  it('names every action of the OpenAPI, and none besides', () => {
    const tables = page.slice(page.indexOf('## OpenAPI'));
    const rows = tables.slice(0, tables.indexOf('\n\n', tables.indexOf('|---'))).split('\n');
    const named = rows.flatMap((row) =>
      [...row.matchAll(/`([A-Z][A-Za-z]+)`/g)].map(([, name = '']) => name),
    );
    const values = /^(CUSTOM_JOB|PRODUCT_KEY|DEVICE_LIST|ALL|SPECIFIC|GRAY|GROUP|ACS3-.*)$/;
    const actions = new Set(named.filter((name) => !values.test(name)));
    assert.deepEqual([...actions].sort(), [...ACTION_NAMES].sort());
  });

  it('names every fault', () => {
    const actions = [...page.matchAll(/^\| (`\w+`.*?) \|/gm)].map(([, cell = '']) => cell).join();
    for (const action of [...MESSAGE_FAULTS, ...FILE_FAULTS])
      assert.ok(actions.includes(`\`${action}\``), action);
  });
});
