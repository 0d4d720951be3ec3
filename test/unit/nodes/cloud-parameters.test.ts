import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { type CallInput, callParameters } from '../../../nodes/alink-cloud/parameters';
import { CLOUD_ACTIONS, cloudAction } from '../../../protocol';
import type { AlinkError } from '../../../sdk';

const HOUSE = { productKey: 'a1Greenhouse', deviceName: 'house-01' };

function parameters(action: string, input: Partial<CallInput> = {}): Record<string, string> {
  return callParameters(cloudAction(action), {
    ...HOUSE,
    identifier: '',
    topic: '',
    qos: '1',
    timeout: undefined,
    value: undefined,
    parameters: {},
    ...input,
  });
}

describe('parameters of the cloud API', () => {
  it('write lists as Name.1, objects as JSON, and leave out null', () => {
    const given = { List: ['a', 2, { b: 3 }], Object: { c: [4] }, Number: 5, Flag: false, Nothing: null };
    assert.deepEqual(parameters('AnyAction', { parameters: given }), {
      ProductKey: 'a1Greenhouse',
      DeviceName: 'house-01',
      'List.1': 'a',
      'List.2': '2',
      'List.3': '{"b":3}',
      Object: '{"c":[4]}',
      Number: '5',
      Flag: 'false',
    });
  });

  it('win over what the form says', () => {
    const { Timeout, DeviceName } = parameters('RRpc', {
      value: 'ping',
      timeout: 1.5,
      parameters: { DeviceName: 'house-02' },
    });
    assert.deepEqual([Timeout, DeviceName], ['1500', 'house-02']);
  });

  it('hold what the platform wants to see, also when there is nothing to say', () => {
    const wish = (more: Partial<CallInput> = {}) =>
      parameters('SetDeviceDesiredProperty', { value: { level: 1 }, ...more }).Versions;
    assert.equal(wish(), '{}');
    assert.equal(wish({ parameters: { Versions: { level: 3 } } }), '{"level":3}');
  });

  it('name a gateway as such', () => {
    assert.deepEqual(parameters('NotifyAddThingTopo', { value: [{ ...HOUSE, deviceName: 'sensor-1' }] }), {
      GwProductKey: 'a1Greenhouse',
      GwDeviceName: 'house-01',
      DeviceListStr: '[{"productKey":"a1Greenhouse","deviceName":"sensor-1"}]',
    });
    const byId = { productKey: undefined, deviceName: undefined, value: [], parameters: { GwIotId: 'x' } };
    assert.deepEqual(parameters('NotifyAddThingTopo', byId), { GwIotId: 'x', DeviceListStr: '[]' });
    assert.throws(() => parameters('NotifyAddThingTopo', { ...byId, parameters: { IotId: 'x' } }));
  });

  it('name the device of an upgrade in a list', () => {
    const upgrade = (given: object = {}) =>
      parameters('CreateOTAStaticUpgradeJob', { identifier: 'fw-1', parameters: given });
    assert.deepEqual(upgrade(), {
      ProductKey: 'a1Greenhouse',
      DeviceName: 'house-01',
      FirmwareId: 'fw-1',
      TargetSelection: 'SPECIFIC',
      'TargetDeviceName.1': 'house-01',
    });
    assert.equal(upgrade({ TargetSelection: 'ALL' }).TargetSelection, 'ALL');
  });

  it('take the address of a file, or the file', () => {
    const url = (value: unknown) =>
      parameters('CreateOTAFirmware', { identifier: '2.0.0', value }).FirmwareUrl;
    assert.equal(url('https://files.example/x.bin'), 'https://files.example/x.bin');
    assert.equal(url(Buffer.from('abc')), 'data:;base64,YWJj');
    assert.throws(() => url(undefined), /FirmwareUrl/);
  });

  it('go by IotId alone', () => {
    const input = { productKey: undefined, deviceName: undefined, parameters: { IotId: 'x' } };
    assert.deepEqual(parameters('GetDeviceStatus', input), { IotId: 'x' });
  });

  for (const [what, action, input, field] of [
    ['no device', 'GetDeviceStatus', { deviceName: undefined }, 'device'],
    ['no product', 'PubBroadcast', { productKey: undefined, value: 'x' }, 'device'],
    ['no identifier', 'InvokeThingService', { value: {} }, 'identifier'],
    ['no topic', 'Pub', { value: 'x' }, 'topic'],
    ['nothing to send', 'RRpc', {}, 'RequestBase64Byte'],
    ['what is no JSON', 'SetDeviceProperty', { value: { a: 1n } }, 'Items'],
    ['parameters that are a list', 'GetDeviceStatus', { parameters: [1] }, 'parameters'],
    ['parameters that are text', 'GetDeviceStatus', { parameters: 'a=1' }, 'parameters'],
  ] as const) {
    it(`refuse ${what}, naming ${field}`, () => {
      assert.throws(
        () => parameters(action, input),
        ({ key, message }: AlinkError) => key === 'invalidInput' && message.startsWith(`${field}:`),
      );
    });
  }

  it('are texts whatever a message holds, or the message is refused', () => {
    const action = fc.constantFrom(...CLOUD_ACTIONS.map(({ name }) => name), 'AnyAction');
    const odd = fc.anything({ withBigInt: true, withDate: true, withNullPrototype: true });
    fc.assert(
      fc.property(action, odd, odd, (name, value, free) => {
        let made: Record<string, string>;
        try {
          made = parameters(name, { value, parameters: free, identifier: 'i', topic: 'user/get' });
        } catch (thrown) {
          assert.equal((thrown as AlinkError).key, 'invalidInput');
          return;
        }
        for (const text of Object.values(made)) assert.equal(typeof text, 'string');
        assert.equal(Object.getPrototypeOf(made), Object.prototype);
      }),
      { numRuns: 500 },
    );
  });

  it('of a hostile message change nothing but the call', () => {
    const hostile: unknown = JSON.parse('{"__proto__":{"admin":true},"constructor":"x"}');
    const made = parameters('AnyAction', { parameters: hostile });
    assert.equal(Object.getPrototypeOf(made), Object.prototype);
    assert.equal(Reflect.get({}, 'admin'), undefined);
  });
});
