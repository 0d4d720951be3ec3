import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { device, emulatorPlatform, propertyPost, sink } from '../../support/flows';
import { type Runtime, startRuntime } from '../../support/runtime';

// bcrypt of "secret", made once; only this test knows the user.
const PASSWORD = 'secret';

describe('admin API that the dialogs call', () => {
  let red: Runtime;
  let token: string;

  before(async () => {
    red = await startRuntime({
      httpAdminRoot: '/red',
      adminAuth: {
        type: 'credentials',
        users: (username: string) =>
          Promise.resolve(username === 'ada' ? { username, permissions: '*' } : null),
        authenticate: (username: string, password: string) =>
          Promise.resolve(
            username === 'ada' && password === PASSWORD ? { username, permissions: '*' } : null,
          ),
      },
    });
    const answer = await fetch(`${red.url}/auth/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({
        client_id: 'node-red-admin',
        grant_type: 'password',
        scope: '*',
        username: 'ada',
        password: PASSWORD,
      }),
    });
    token = ((await answer.json()) as { access_token: string }).access_token;
    assert.ok(token);
    const online = red.next('sink');
    await red.deploy([emulatorPlatform(), device(), propertyPost(), sink()]);
    red.send('post', { payload: { temperature: 20 } });
    await online;
  });
  after(() => red.stop());

  const get = (path: string, authorization?: string) =>
    fetch(`${red.url}/${path}`, authorization ? { headers: { authorization } } : {});

  const ROUTES = [
    'alink-platform/platform/addresses',
    'alink-device/machine-name/hostname',
    'alink-device/device/thing-model',
  ];
  for (const route of ROUTES) {
    it(`${route}: nothing without a login`, async () => {
      assert.equal((await get(route)).status, 401);
      assert.equal((await get(route, 'Bearer wrong')).status, 401);
      assert.equal((await get(route, `Bearer ${token}`)).status, 200);
    });
  }

  it('names the emulator’s addresses, and 404 for what is not deployed', async () => {
    const body = await (await get(ROUTES[0] ?? '', `Bearer ${token}`)).json();
    assert.match((body as { mqtt: string }).mqtt, /^mqtt:\/\/127\.0\.0\.1:\d+$/);
    assert.equal((await get('alink-platform/nobody/addresses', `Bearer ${token}`)).status, 404);
    assert.equal((await get('alink-platform/device/addresses', `Bearer ${token}`)).status, 404);
  });

  it('lists the identifiers of the thing model, none for an unknown device', async () => {
    const body = (await (await get(ROUTES[2] ?? '', `Bearer ${token}`)).json()) as {
      properties: Array<{ identifier: string }>;
      events: Array<{ identifier: string }>;
    };
    assert.deepEqual(
      body.properties.map(({ identifier }) => identifier),
      ['temperature', 'heater', 'count'],
    );
    assert.deepEqual(
      body.events.map(({ identifier }) => identifier),
      ['overheat'],
    );
    const none = await (await get('alink-device/nobody/thing-model', `Bearer ${token}`)).json();
    assert.deepEqual(none, { properties: [], events: [] });
  });

  it('gives no secret away', async () => {
    for (const path of ['flows', ...ROUTES, 'credentials/alink-device/device']) {
      const text = await (await get(path, `Bearer ${token}`)).text();
      assert.doesNotMatch(text, /[0-9a-f]{32}/, path);
    }
  });

  it('refuses a kind of name that it does not know', async () => {
    assert.equal((await get('alink-device/machine-name/__proto__', `Bearer ${token}`)).status, 404);
  });
});
