import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'mocha';
import type { DeviceIdentity } from '../../../protocol';
import type { AlinkError } from '../../../sdk';
import { state } from '../../support/sdk-device';
import { gate, meter, SdkPlant } from '../../support/sdk-plant';

const LINGER = { lingerMs: 2000 };
const AT_ONCE = { packWindowMs: 0 };

describe('sub-devices that come and change while their gateway runs', () => {
  let plant: SdkPlant;

  afterEach(() => plant.stop());

  const userGet = ({ productKey, deviceName }: DeviceIdentity) => `/${productKey}/${deviceName}/user/get`;

  it('one with other settings takes the session over, and stays one of its gateway’s', async () => {
    plant = await SdkPlant.start();
    const gateway = await plant.gateway();
    const before = plant.open(0, LINGER);
    await state(before, 'online');
    await before.release();
    const states: string[] = [];
    gateway.gateway.onSubDevice(({ state: { name } }) => states.push(name));
    const changed = plant.open(0, { ...LINGER, cleanSession: true });
    await state(changed, 'online');
    // By the answer to this, whatever the old session had to say has been said.
    await changed.request('thing.dsltemplate.get', {});

    assert.deepEqual(plant.codes('session.login'), [200, 200]);
    assert.deepEqual(plant.codes('session.logout'), []);
    assert.deepEqual(plant.emulator.devices.get(meter(0))?.connectedAs, gate(1));
    assert.deepEqual(
      gateway.gateway.subDevices().map(({ identity, state: { name } }) => [identity, name]),
      [[meter(0), 'online']],
    );
    assert.deepEqual(states, ['online', 'idle', 'connecting', 'online']);
  });

  it('one that was given up and is wanted again logs in after it was logged out', async () => {
    plant = await SdkPlant.start();
    await plant.gateway();
    const before = plant.open(0);
    await state(before, 'online');
    const left = before.release();
    const again = plant.open(0);
    await Promise.all([left, state(again, 'online')]);
    await again.postProperties({ temperature: 20 });
    assert.deepEqual(plant.emulator.devices.get(meter(0))?.connectedAs, gate(1));
  });

  it('a report that comes before its sub-device is online waits for that', async () => {
    plant = await SdkPlant.start();
    const gateway = await plant.gateway();
    plant.open(0);
    const { status } = await gateway.gateway.postProperties(meter(0), { temperature: 21 }, AT_ONCE);
    assert.equal(status, 'acknowledged');
    const event = await gateway.gateway.postEvent(meter(0), 'overheated', { temperature: 90 });
    assert.equal(event.method, 'thing.event.property.pack.post');
    plant.open(1);
    await gateway.gateway.postEvent(meter(1), 'overheated', { temperature: 90 }, AT_ONCE);
    assert.equal(plant.emulator.devices.get(meter(1))?.events.length, 1);
  });

  it('are listened to from when they come until nobody wants to', async () => {
    plant = await SdkPlant.start();
    const gateway = await plant.gateway();
    const first = plant.open(0, LINGER);
    await state(first, 'online');
    const heard: string[] = [];
    const wake = { up: (): void => undefined };
    const refused: Array<[string, string]> = [];
    const stop = gateway.gateway.onMessage(
      (identity) => (identity.deviceName === 'meter-2' ? 'not/#/a filter' : userGet(identity)),
      ({ deviceName }, { payload }) => {
        heard.push(`${deviceName} ${Buffer.from(payload).toString()}`);
        wake.up();
      },
      ({ deviceName }, error: AlinkError) => refused.push([deviceName, error.key]),
    );
    const later = plant.open(1);
    const odd = plant.open(2);
    await Promise.all([later, odd].map((device) => state(device, 'online')));
    const publish = async (i: number, text: string) => {
      const { exchanges } = plant.emulator;
      while (!plant.emulator.devices.get(meter(i))?.subscriptions.includes(userGet(meter(i))))
        await exchanges.waitFor(({ kind }) => kind === 'subscribe', { since: exchanges.latest - 1 });
      const arrived = new Promise<void>((resolve) => {
        wake.up = resolve;
      });
      plant.emulator.publishToDevice(meter(i), userGet(meter(i)), text);
      await arrived;
    };
    await publish(0, 'a');
    await publish(1, 'b');
    assert.deepEqual(refused, [['meter-2', 'badSettings']]);

    await first.release();
    const changed = plant.open(0, { cleanSession: true });
    await state(changed, 'online');
    await publish(0, 'c');
    assert.deepEqual(heard, ['meter-0 a', 'meter-1 b', 'meter-0 c']);

    stop();
    plant.emulator.publishToDevice(meter(1), userGet(meter(1)), 'd');
    await later.request('thing.dsltemplate.get', {});
    assert.equal(heard.length, 3);
  });
});
