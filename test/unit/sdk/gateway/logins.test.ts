import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { Logins } from '../../../../sdk/gateway/logins';

const METER = { productKey: 'a1Meter', deviceName: 'meter-1' };
const OTHER = { productKey: 'a1Meter', deviceName: 'meter-2' };
const login = (identity = METER) => ({
  identity,
  deviceSecret: 'secret',
  clientId: undefined,
  signMethod: 'hmacsha256' as const,
  cleanSession: false,
  onSent: () => undefined,
});

describe('logins of sub-devices', () => {
  it('do not overtake a logout of the same sub-device, and wait for no other', async () => {
    const sent: string[] = [];
    const answers: Array<() => void> = [];
    const logins = new Logins({
      request: ({ operation, params }) => {
        const name = /meter-\d/.exec(params)?.[0];
        sent.push(`${operation} ${name}`);
        const reply = { id: '1', code: 200, data: {} };
        if (operation !== 'session.logout') return Promise.resolve(reply);
        return new Promise((resolve) => answers.push(() => resolve(reply)));
      },
      loginsPerSecond: 0,
      loginBatch: 1,
      autoSubscribe: true,
    });
    const { signal } = new AbortController();
    const logout = logins.logout(METER);
    const back = logins.login(login(), signal);
    await logins.login(login(OTHER), signal);
    assert.deepEqual(sent, ['session.logout meter-1', 'session.login meter-2']);
    answers[0]?.();
    await Promise.all([logout, back]);
    assert.deepEqual(sent.slice(2), ['session.login meter-1']);
    await logins.login(login(), signal);
  });

  it('go on when the logout failed', async () => {
    const sent: string[] = [];
    const logins = new Logins({
      request: ({ operation }) => {
        sent.push(operation);
        return operation === 'session.logout'
          ? Promise.reject(new Error('lost'))
          : Promise.resolve({ id: '1', code: 200, data: {} });
      },
      loginsPerSecond: 0,
      loginBatch: 1,
      autoSubscribe: true,
    });
    const logout = logins.logout(METER);
    const back = logins.login(login(), new AbortController().signal);
    await assert.rejects(logout);
    await back;
    assert.deepEqual(sent, ['session.logout', 'session.login']);
  });
});
