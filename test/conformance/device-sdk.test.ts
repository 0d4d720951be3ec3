import assert from 'node:assert/strict';
import { once } from 'node:events';
import { device, register } from 'alibabacloud-iot-device-sdk';
import { type Emulator, startEmulator } from '../../emulator';
import { PRODUCT } from '../support/emulator';

const { productKey, productSecret } = PRODUCT;

describe("the vendor's device SDK on the emulator", () => {
  let emulator: Emulator;

  before(async () => {
    emulator = await startEmulator({ config: { products: [PRODUCT] } });
  });

  after(() => emulator.close());

  const registered = (deviceName: string, secret = productSecret) =>
    new Promise<Parameters<Parameters<typeof register>[1]>[0]>((resolve) => {
      const registerURL = `${emulator.httpUrl}/auth/register/device`;
      register({ productKey, productSecret: secret, deviceName, registerURL }, resolve);
    });

  it('registers, connects, posts properties and events and gets their answers', async () => {
    const { code, data } = await registered('lamp-1');
    assert.equal(code, 200);
    assert.equal(data?.deviceName, 'lamp-1');
    const client = device({
      productKey,
      deviceName: 'lamp-1',
      deviceSecret: data?.deviceSecret ?? '',
      brokerUrl: emulator.addresses.mqtt ?? '',
    });
    try {
      await once(client as unknown as NodeJS.EventEmitter, 'connect');
      // Its subscriptions go out one by one after `connect`; answers to earlier posts would not arrive.
      await emulator.exchanges.waitFor(
        ({ kind, topic }) => kind === 'subscribe' && topic?.endsWith('thing/event/+/post_reply') === true,
      );
      const properties = await new Promise<{ code: number; id: string }>((resolve) =>
        client.postProps({ temperature: 21.5, unknownOne: 1 }, resolve),
      );
      assert.equal(properties.code, 200);
      const event = await new Promise<{ code: number }>((resolve) =>
        client.postEvent('overheated', { value: { temperature: 99.5 } }, resolve),
      );
      assert.equal(event.code, 200);
      const bad = await new Promise<{ code: number }>((resolve) =>
        client.postEvent('overheated', { value: { temperature: 'hot' } }, resolve),
      );
      assert.equal(bad.code, 6307);
    } finally {
      await new Promise<void>((resolve) => client.end(true, resolve));
    }
    const stored = emulator.devices.get({ productKey, deviceName: 'lamp-1' });
    assert.deepEqual(Object.keys(stored?.properties ?? {}), ['temperature']);
    assert.equal(stored?.properties.temperature?.value, 21.5);
    assert.deepEqual(
      stored?.events.map(({ identifier, value }) => ({ identifier, value })),
      [{ identifier: 'overheated', value: { temperature: 99.5 } }],
    );
  });

  it('is told why it may not register', async () => {
    assert.equal((await registered('lamp-2', 'not the secret')).code, 6600);
    assert.equal((await registered('nobody')).code, 6100);
  });
});
