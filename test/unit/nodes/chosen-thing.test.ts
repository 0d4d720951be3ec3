import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { chosenThing } from '../../../nodes/shared/chosen-thing';
import type { DeviceIdentity } from '../../../protocol';
import type { Device } from '../../../sdk';
import { rejection } from '../../support/sdk-device';

const GATE = { productKey: 'a1Gate', deviceName: 'gate-01' };
const METER = { productKey: 'a1Meter', deviceName: 'meter-1' };

/** A gateway with these sub-devices, and how many handles on them are held. */
function plant(subDevices: DeviceIdentity[]): { device: Device; held: () => number } {
  let held = 0;
  const handle = (identity: DeviceIdentity) => {
    held++;
    return { identity, gateway: undefined, release: async () => void held-- };
  };
  const gateway = {
    subDevices: () => subDevices.map((identity) => ({ identity, state: { name: 'online', waiting: 0 } })),
    subDevice: ({ productKey, deviceName }: DeviceIdentity) => {
      const found = subDevices.find((one) => one.productKey === productKey && one.deviceName === deviceName);
      return found && handle(found);
    },
  };
  return { device: { identity: GATE, gateway } as unknown as Device, held: () => held };
}

const atOnce = () => Promise.resolve();

describe('the thing that msg.device chooses', () => {
  it('is held while it is needed, and given back once it is not', async () => {
    const { device, held } = plant([METER]);
    const chosen = await chosenThing(METER, device, atOnce);
    assert.deepEqual(chosen.device.identity, METER);
    assert.equal(chosen.gateway, device.gateway);
    assert.equal(held(), 1);
    chosen.release();
    assert.equal(held(), 0);
  });

  for (const wanted of [METER, { deviceName: METER.deviceName }, 'meter-1']) {
    it(`is waited for while a deploy opens it: ${JSON.stringify(wanted)}`, async () => {
      const subDevices: DeviceIdentity[] = [];
      const { device } = plant(subDevices);
      const opened = async () => void subDevices.push(METER);
      assert.deepEqual((await chosenThing(wanted, device, opened)).device.identity, METER);
    });
  }

  it('costs no wait when it is there, nor when the gateway itself is meant', async () => {
    const { device } = plant([METER]);
    const never = () => Promise.reject(new Error('it was waited for'));
    await chosenThing(METER, device, never);
    assert.equal((await chosenThing(GATE, device, never)).device, device);
    assert.equal((await chosenThing(undefined, device, never)).device, device);
  });

  it('is nobody when the deploy has none of this name', async () => {
    const { device, held } = plant([METER, { ...METER, productKey: 'a1Other' }]);
    const none = await rejection(chosenThing('a1Meter/meter-9', device, atOnce));
    assert.equal(none.details.rule, 'noSubDevice');
    assert.equal(none.details.name, 'a1Meter/meter-9');
    const several = await rejection(chosenThing({ deviceName: 'meter-1' }, device, atOnce));
    assert.equal(several.details.field, 'msg.device.productKey');
    assert.equal(held(), 0);
  });

  it('has a name of bounded length in its error', async () => {
    const { device } = plant([]);
    const error = await rejection(chosenThing('x'.repeat(100_000), device, atOnce));
    assert.ok(error.message.length < 300);
  });
});
