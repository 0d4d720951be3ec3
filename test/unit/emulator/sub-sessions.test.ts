import assert from 'node:assert/strict';
import fc from 'fast-check';
import { RateWindow } from '../../../emulator/broker/rate-window';
import { namedIn } from '../../../emulator/broker/rights';
import { HANDLERS } from '../../../emulator/handlers';
import { DEFAULT_LIMITS } from '../../../emulator/options';
import { Platform } from '../../../emulator/platform';
import { isJsonObject, type OperationName, parseReply } from '../../../protocol';
import { loginOf } from '../../support/gateway';

const GATE = { productKey: 'gates', deviceName: 'gate' };
const SUB = { productKey: 'subs', deviceName: 'sub' };

function plant(autoProvision = false) {
  const platform = new Platform(
    DEFAULT_LIMITS,
    () => 0,
    autoProvision,
    () => undefined,
  );
  const gate = platform.registry.provision(GATE);
  const session = platform.sessionOf(gate);
  session.takeOver({}, { clean: true, autoSubscribe: true, ext: 0 });
  const { line } = session;
  assert.ok(line);
  const ask = (operation: OperationName, params: unknown) => {
    const result = HANDLERS.get(operation)?.({
      device: gate,
      operation,
      method: undefined,
      topic: '',
      variables: GATE,
      payload: Buffer.from(JSON.stringify({ id: '1', params })),
      now: 0,
      limits: DEFAULT_LIMITS,
      speaksFor: session.speaksFor,
      forward: () => undefined,
      platform,
      line,
    });
    return parseReply(result?.reply ?? '');
  };
  return { platform, gate, line, ask };
}

const OPERATIONS = ['session.login', 'session.logout', 'session.batchLogin', 'session.batchLogout'] as const;

describe('logins of sub-devices', () => {
  it('are answered with a code whatever they hold, and change nothing', () => {
    const { ask, line } = plant();
    const field = fc.oneof(fc.jsonValue(), fc.constantFrom('subs', 'sub', 'true', 'hmacsha1', '__proto__'));
    const entry = fc.record(
      {
        productKey: field,
        deviceName: field,
        clientId: field,
        timestamp: field,
        signMethod: field,
        signmethod: field,
        sign: field,
        cleanSession: field,
        ['__proto__']: field,
      },
      { requiredKeys: [] },
    );
    const params = fc.oneof(
      fc.jsonValue(),
      entry,
      fc.array(entry, { maxLength: 60 }),
      fc.record({ deviceList: fc.oneof(fc.jsonValue(), fc.array(entry)), signMethod: field }),
      fc.array(entry).map((list) => JSON.stringify(list)),
    );
    fc.assert(
      fc.property(fc.constantFrom(...OPERATIONS), params, (operation, given) => {
        assert.ok([460, 6100, 6287, 429, 520].includes(ask(operation, given).code));
        assert.equal(line.members.size, 0);
      }),
    );
  });

  it('create whom they name, but let nobody in who stands behind no gateway', () => {
    const { ask, platform, gate } = plant(true);
    assert.equal(ask('session.login', loginOf(SUB)).code, 6401);
    const sub = platform.registry.find(SUB);
    assert.ok(sub);
    platform.registry.topology.add(gate, sub);
    // Nobody told us its secret.
    assert.equal(ask('session.login', loginOf(SUB, { deviceSecret: 'any' })).code, 200);
    assert.ok(sub.activatedAt !== undefined);
    platform.deleteDevice(sub);
    assert.equal(ask('session.login', loginOf(SUB)).code, 521);
    platform.registry.provision(SUB);
    assert.equal(ask('session.login', loginOf(SUB)).code, 6287);
  });

  it('are no more possible on a connection that is gone', () => {
    const { ask, platform, gate, line } = plant();
    const sub = platform.registry.provision(SUB);
    sub.deviceSecret = 'secret-of-sub';
    platform.registry.topology.add(gate, sub);
    platform.sessionOf(gate).end();
    assert.equal(ask('session.login', loginOf(SUB)).code, 520);
    assert.equal(line.members.size, 0);
    assert.equal(sub.status, 'UNACTIVE');
  });

  it('answer a batch with a list and one with an object', () => {
    const { ask, platform, gate } = plant();
    const sub = platform.registry.provision(SUB);
    sub.deviceSecret = 'secret-of-sub';
    platform.registry.topology.add(gate, sub);
    assert.deepEqual(ask('session.login', loginOf(SUB)).data, { ...SUB });
    assert.deepEqual(ask('session.batchLogin', { deviceList: [loginOf(SUB)] }).data, [{ ...SUB }]);
    assert.deepEqual(ask('session.batchLogout', [SUB]).data, [{ ...SUB }]);
    assert.ok(isJsonObject(ask('session.logout', SUB).data));
  });
});

describe('window of a rate', () => {
  it('takes no more than the limit within the time, at whatever moments', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 400 }), fc.integer({ min: 1, max: 5 })), {
          maxLength: 50,
        }),
        fc.integer({ min: 1, max: 10 }),
        (steps, most) => {
          const window = new RateWindow(1000);
          const taken: Array<[number, number]> = [];
          let now = 0;
          for (const [pause, count] of steps) {
            now += pause;
            const used = taken.filter(([time]) => now - time < 1000).reduce((sum, [, each]) => sum + each, 0);
            assert.equal(window.take(now, most, count), used + count <= most);
            if (used + count <= most) taken.push([now, count]);
          }
        },
      ),
    );
  });
});

describe('names in a filter', () => {
  it('are found wherever the protocol puts them', () => {
    for (const filter of [
      '/sys/subs/sub/thing/#',
      '/icsys/subs/sub/thing/service/+',
      '/ext/session/subs/sub/combine/+',
      '/ext/ntp/subs/sub/response',
      '/ota/device/upgrade/subs/sub',
      '/shadow/get/subs/sub',
      '/subs/sub/user/get',
      '/ext/rrpc/+/sys/subs/sub/thing/service/+',
      '/ext/rrpc/+/subs/sub/user/#',
    ]) {
      assert.deepEqual(namedIn(filter), SUB, filter);
    }
    for (const filter of ['#', '', '/', '/sys', '/sys/+/+/thing/#', '/ext/rrpc/#', '/broadcast/subs/sub']) {
      assert.notDeepEqual(namedIn(filter), SUB, filter);
    }
  });
});
