import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { AlinkError, type Gateway, openSubDevice, type SubDeviceResult } from '../../../sdk';
import { rejection, state } from '../../support/sdk-device';
import { gate, meter, SdkPlant, secretOf } from '../../support/sdk-plant';

/** What somebody who writes JavaScript gets wrong at first. */
describe('input of a gateway', () => {
  let plant: SdkPlant;
  let gateway: Gateway;
  before(async () => {
    plant = await SdkPlant.start();
    ({ gateway } = await plant.gateway());
  });
  after(() => plant.stop());

  /** As a program without types calls it. */
  const call = (name: keyof Gateway, input: unknown): Promise<SubDeviceResult[]> =>
    Reflect.apply(Reflect.get(gateway, name), gateway, [input]);

  for (const name of [
    'login',
    'logout',
    'addTopology',
    'deleteTopology',
    'register',
    'reportFound',
  ] as const) {
    it(`${name}: what is no list of objects is refused`, async () => {
      for (const input of [undefined, null, meter(1), 'meter-1', ['meter-1'], [null]]) {
        const { key, details } = await rejection(call(name, input));
        assert.deepEqual([key, details.field], ['invalidInput', 'devices'], JSON.stringify(input));
      }
    });
  }

  for (const name of ['login', 'addTopology', 'register'] as const) {
    it(`${name}: names without the word identity are told as that`, async () => {
      const [result] = await call(name, [meter(1)]);
      assert.equal(result?.error?.message, 'identity: missing');
      assert.equal(result?.error?.key, 'invalidInput');
    });
  }

  it('a gateway is not its own sub-device, by handle or by login', async () => {
    const error = { key: 'badSettings', code: 6402 };
    const authentication = { kind: 'deviceSecret', deviceSecret: secretOf(gate(1)) } as const;
    const options = { identity: gate(1), gateway: plant.gateOptions(), authentication };
    assert.throws(() => openSubDevice(options), error);
    const [result] = await gateway.login([{ identity: gate(1) }]);
    assert.deepEqual({ key: result?.error?.key, code: result?.error?.code }, error);
  });

  it('a report that waited in vain says why', async () => {
    const device = plant.open(0, { authentication: { kind: 'deviceSecret', deviceSecret: 'wrong' } });
    await state(device, 'refused');
    const direct = await rejection(device.postProperties({ temperature: 1 }, { timeoutMs: 50 }));
    const packed = await rejection(gateway.postProperties(meter(0), { temperature: 1 }, { timeoutMs: 50 }));
    for (const { key, message, cause } of [direct, packed]) {
      assert.equal(key, 'waitingTimeout');
      assert.ok(cause instanceof AlinkError && message.endsWith(cause.message), message);
      assert.match(message, /(401|6287)/);
    }
  });
});
