import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { startEmulator } from '../../../emulator';
import { closed, LAMP_1, onlineLamp, PRODUCT } from '../../support/emulator';

describe('emulator: start and end', () => {
  it('rejects when a port is taken, names door and port, and frees the others', async () => {
    const taken = createServer();
    await new Promise<void>((done) => taken.listen(0, '127.0.0.1', done));
    const { port } = taken.address() as { port: number };
    const free = await startEmulator();
    const freePort = free.ports.mqtt ?? 0;
    await free.close();
    await assert.rejects(startEmulator({ doors: { mqtt: freePort, http: port } }), {
      name: 'DoorError',
      code: 'EADDRINUSE',
      door: 'http',
      port,
    });
    const again = await startEmulator({ doors: { mqtt: freePort } });
    assert.equal(again.ports.mqtt, freePort);
    await again.close();
    await new Promise((done) => taken.close(done));
  });

  it('opens the doors asked for, and MQTT and HTTP by default', async () => {
    const standard = await startEmulator();
    assert.deepEqual(Object.keys(standard.addresses), ['mqtt', 'http']);
    assert.equal(standard.httpUrl, standard.addresses.http);
    assert.equal(standard.ca, undefined);
    await standard.close();
    const secure = await startEmulator({ doors: { https: 0 } });
    assert.deepEqual([secure.httpUrl, Object.keys(secure.ports)], [secure.addresses.https, ['https']]);
    assert.match(secure.ca ?? '', /BEGIN CERTIFICATE/);
    await secure.close();
  });

  it('ends connections with it, and closing twice is closing once', async () => {
    const emulator = await startEmulator({ config: { products: [PRODUCT] } });
    const lamp = await onlineLamp(emulator);
    const gone = closed(lamp);
    await Promise.all([emulator.close(), emulator.close()]);
    await gone;
  });

  it('gives a provisioned device the same secret each time, and its thing model to the product', async () => {
    const emulator = await startEmulator();
    const { deviceSecret } = emulator.provisionDevice(LAMP_1);
    assert.match(deviceSecret, /^[0-9a-f]{32}$/);
    assert.equal(emulator.provisionDevice(LAMP_1, PRODUCT.thingModel).deviceSecret, deviceSecret);
    assert.throws(() => emulator.provisionDevice({ productKey: 'a/b', deviceName: 'c' }), RangeError);
    assert.throws(() => emulator.provisionDevice(LAMP_1, { properties: 1 }), { name: 'ThingModelError' });
    await emulator.close();
  });
});
