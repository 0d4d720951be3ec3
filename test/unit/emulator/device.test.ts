import assert from 'node:assert/strict';
import { DEFAULT_LIMITS } from '../../../emulator/options';
import { Registry } from '../../../emulator/registry/registry';

const IDENTITY = { productKey: 'pk', deviceName: 'dn' };

function device(limits: Partial<typeof DEFAULT_LIMITS>) {
  return new Registry({ ...DEFAULT_LIMITS, ...limits }, () => 0, false).provision(IDENTITY);
}

describe('what the emulator keeps of a device', () => {
  it('forgets history, not latest values, when there is too much data', () => {
    const one = device({ deviceBytes: 10_000 });
    const text = 'x'.repeat(2000);
    assert.ok(one.storeSample('small', { value: 1, time: 0 }));
    for (let time = 0; time < 20; time++) assert.ok(one.storeSample('large', { value: text, time }));
    assert.equal(one.properties.get('large')?.last()?.time, 19);
    assert.ok((one.properties.get('large')?.length ?? 0) <= 4);
    assert.equal(one.properties.get('small')?.last()?.value, 1);
    assert.equal(one.storeSample('huge', { value: 'x'.repeat(9000), time: 0 }), false);
    assert.equal(one.properties.has('huge'), false);
  });

  it('counts what a ring gave up as free again', () => {
    const one = device({ deviceBytes: 10_000, samplesPerProperty: 2, eventsPerDevice: 2 });
    const value = { text: 'x'.repeat(1000) };
    for (let time = 0; time < 50; time++) {
      assert.ok(one.storeEvent({ identifier: 'e', name: 'e', type: 'info', value, time }));
    }
    assert.equal(one.events.length, 2);
  });

  it('tells its status', () => {
    const one = device({});
    assert.equal(one.status, 'UNACTIVE');
    one.activatedAt = 1;
    assert.equal(one.status, 'OFFLINE');
    one.onlineSince = 1;
    assert.equal(one.status, 'ONLINE');
    one.enabled = false;
    assert.equal(one.status, 'DISABLE');
  });
});

describe('registry', () => {
  const registry = (autoProvision: boolean, provisionedDevices = 2) =>
    new Registry({ ...DEFAULT_LIMITS, provisionedDevices }, () => 0, autoProvision);

  it('brings in unknown devices only when told to, up to a number, under usable names', () => {
    assert.equal(registry(false).connectable(IDENTITY), undefined);
    const open = registry(true);
    assert.equal(open.connectable({ ...IDENTITY, deviceName: 'a b' }), undefined);
    assert.equal(open.connectable({ ...IDENTITY, deviceName: '' }), undefined);
    const [a, b] = ['a', 'b'].map((deviceName) => open.connectable({ ...IDENTITY, deviceName }));
    assert.ok(a !== undefined && b !== undefined);
    assert.equal(a.deviceSecret, undefined);
    assert.equal(open.connectable({ ...IDENTITY, deviceName: 'c' }), undefined);
    assert.equal(open.connectable({ ...IDENTITY, deviceName: 'a' }), a);
    assert.equal(open.registrable('other'), undefined);
  });

  it('registers under the rule for new names', () => {
    const open = registry(true, 10);
    const product = open.registrable('pk');
    assert.ok(product !== undefined);
    assert.equal(open.register(product, 'abc'), undefined);
    assert.equal(open.register(product, 'x'.repeat(33)), undefined);
    assert.equal(open.register(product, 'abcd')?.deviceSecret?.length, 32);
  });
});
