import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { device, emulatorPlatform, propertyPost, sink } from '../../support/flows';
import { type Runtime, startRuntime } from '../../support/runtime';

// Not a login: Node-RED would keep a timer until the session expires, in a week.
const TOKEN = 'token-of-ada';

describe('admin API that the dialogs call', () => {
  let red: Runtime;

  before(async () => {
    red = await startRuntime({
      httpAdminRoot: '/red',
      adminAuth: {
        type: 'credentials',
        users: [{ username: 'ada', password: '', permissions: '*' }],
        tokens: [{ token: TOKEN, user: 'ada', scope: ['*'] }],
      },
    });
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
      assert.equal((await get(route, `Bearer ${TOKEN}`)).status, 200);
    });
  }

  it('names the emulator’s addresses, and 404 for what is not deployed', async () => {
    const body = await (await get(ROUTES[0] ?? '', `Bearer ${TOKEN}`)).json();
    assert.match((body as { mqtt: string }).mqtt, /^mqtt:\/\/127\.0\.0\.1:\d+$/);
    assert.equal((await get('alink-platform/nobody/addresses', `Bearer ${TOKEN}`)).status, 404);
    assert.equal((await get('alink-platform/device/addresses', `Bearer ${TOKEN}`)).status, 404);
  });

  it('lists the identifiers of the thing model, none for an unknown device', async () => {
    const body = (await (await get(ROUTES[2] ?? '', `Bearer ${TOKEN}`)).json()) as {
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
    const none = await (await get('alink-device/nobody/thing-model', `Bearer ${TOKEN}`)).json();
    assert.deepEqual(none, { properties: [], events: [], services: [] });
  });

  it('gives no secret away', async () => {
    for (const path of ['flows', ...ROUTES, 'credentials/alink-device/device']) {
      const text = await (await get(path, `Bearer ${TOKEN}`)).text();
      assert.doesNotMatch(text, /[0-9a-f]{32}/, path);
    }
  });

  it('refuses a kind of name that it does not know', async () => {
    assert.equal((await get('alink-device/machine-name/__proto__', `Bearer ${TOKEN}`)).status, 404);
  });
});
