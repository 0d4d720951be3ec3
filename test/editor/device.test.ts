import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { formatClientId, parseClientId, SESSION_PARAMETERS } from '../../protocol';
import { machineName } from '../../sdk';
import { DEMO_DEVICE, DEMO_PLATFORM, EditorPage, idOf, PUBLIC_PLATFORM, useEditor } from '../support/editor';

interface Vector {
  name: string;
  inputs: Record<
    'productKey' | 'deviceName' | 'deviceSecret' | 'clientId' | 'signmethod' | 'transport',
    string
  > & {
    timestamp?: string;
  };
  expected: { url: string; clientId: string; username: string; password: string };
}
const { vectors } = JSON.parse(readFileSync(join(__dirname, '..', 'vectors.json'), 'utf8')) as {
  vectors: Vector[];
};
const CONNECTS = vectors.filter(({ name }) => /^mqtt\.(tcp|tls|ws|wss)\./.test(name));

describe('device dialog', () => {
  const host = useEditor();
  let editor: EditorPage;
  before(async () => {
    editor = await EditorPage.open(host(), 'en-US', 'light');
  });
  after(() => editor.close());
  const output = (name: string) => editor.page.locator(`[data-preview="${name}"]`).textContent();
  const inDialog = (title: string, test: () => Promise<void>) =>
    it(title, async () => {
      await editor.openDialog(DEMO_DEVICE);
      await test();
      await editor.closeDialog();
      assert.deepEqual(editor.problems, []);
    });

  inDialog('takes the certificate as the console copies it', async () => {
    const certificate = { ProductKey: 'a1Pasted', DeviceName: 'pump-07', DeviceSecret: '0123456789abcdef' };
    const box = editor.page.locator('[data-role="paste"]');
    await box.fill(JSON.stringify({ ...certificate, IotInstanceId: 'iot-060a0001' }));
    assert.equal(await editor.field('productKey').inputValue(), 'a1Pasted');
    assert.equal(await editor.field('deviceName').inputValue(), 'pump-07');
    assert.equal(await editor.field('deviceNameFrom').inputValue(), 'text');
    assert.equal(await editor.field('deviceSecret').inputValue(), '0123456789abcdef');
    assert.equal(await editor.field('deviceSecret').getAttribute('type'), 'password');
    assert.equal(await box.inputValue(), '');
    const note = (await editor.note('paste').textContent()) ?? '';
    for (const word of ['ProductKey', 'DeviceName', 'DeviceSecret', 'iot-060a0001'])
      assert.match(note, new RegExp(word));
    assert.doesNotMatch(note, /0123456789abcdef/);
  });

  inDialog('chooses registration when only the product secret is pasted', async () => {
    await editor.page
      .locator('[data-role="paste"]')
      .fill('ProductKey: a1Pasted\nDeviceName: pump-08\nProductSecret: fedcba9876543210');
    assert.equal(await editor.field('authentication').inputValue(), 'productSecretMqtt');
    assert.equal(await editor.field('productSecret').inputValue(), 'fedcba9876543210');
    assert.ok(await editor.field('productSecret').isVisible());
    assert.ok(!(await editor.field('deviceSecret').isVisible()));
  });

  inDialog('says when a pasted text holds no certificate', async () => {
    await editor.page.locator('[data-role="paste"]').fill('hello');
    assert.match((await editor.note('paste').textContent()) ?? '', /No certificate/);
    assert.equal(await editor.field('productKey').inputValue(), 'a1DemoPlant0');
  });

  inDialog('computes what will be sent as the vectors say', async () => {
    assert.ok(CONNECTS.length >= 24);
    for (const { name, inputs, expected } of CONNECTS) {
      await editor.fill({
        platform: PUBLIC_PLATFORM,
        productKey: inputs.productKey,
        deviceName: inputs.deviceName,
        deviceSecret: inputs.deviceSecret,
        clientId: inputs.clientId,
        signMethod: inputs.signmethod,
        transport: inputs.transport,
        timestamp: inputs.timestamp ?? '',
      });
      const { clientId, parameters } = parseClientId(expected.clientId);
      assert.deepEqual(
        {
          url: await output('address'),
          clientId: await output('clientId'),
          username: await output('username'),
          password: await output('password'),
        },
        {
          url: expected.url,
          clientId: formatClientId(clientId, { ...Object.fromEntries(parameters), ...SESSION_PARAMETERS }),
          username: expected.username,
          password: expected.password,
        },
        name,
      );
    }
  });

  inDialog('computes no password from a secret it does not know', async () => {
    await editor.fill({ deviceSecret: '__PWRD__' });
    assert.equal(await output('password'), '—');
    assert.match((await editor.note('preview').textContent()) ?? '', /saved secret/);
    await editor.fill({ productKey: `\${PRODUCT_KEY}` });
    assert.equal(await output('clientId'), '—');
    assert.ok(!(await editor.field('productKey').getAttribute('class'))?.includes('input-error'));
  });

  inDialog('shows the address of the running emulator', async () => {
    await editor.page.waitForFunction(() =>
      /^mqtts?:\/\/127\.0\.0\.1:\d+$/.test(
        document.querySelector('[data-preview="address"]')?.textContent ?? '',
      ),
    );
  });

  inDialog('shows what this machine would be called', async () => {
    await editor.page.evaluate(() => {
      const field = document.querySelector('#node-config-input-deviceName');
      if (field) Reflect.get(window, '$')(field).typedInput('type', 'hostname');
    });
    const name = machineName('hostname') ?? '';
    await editor.note('deviceName').filter({ hasText: name }).waitFor();
    assert.equal(await output('username'), `${name}&a1DemoPlant0`);
  });

  inDialog('switches the check on when a thing model is given', async () => {
    await editor.fill({ thingModelSource: 'none', thingModelMode: 'off' });
    assert.ok(!(await editor.field('thingModelMode').isVisible()));
    await editor.fill({ thingModelSource: 'fetch' });
    assert.equal(await editor.field('thingModelMode').inputValue(), 'strict');
  });

  inDialog('shows the reason beside a wrong value', async () => {
    const field = editor.field('keepAlive');
    await field.fill('5');
    await field.blur();
    assert.match((await field.getAttribute('class')) ?? '', /input-error/);
    await field.hover();
    await editor.page.locator('.red-ui-popover', { hasText: 'from 30 to 1200' }).waitFor();
    await field.fill('60');
    await field.blur();
    assert.doesNotMatch((await field.getAttribute('class')) ?? '', /input-error/);
  });
});

describe('reasons of wrong values', () => {
  const host = useEditor();
  let editor: EditorPage;
  before(async () => {
    editor = await EditorPage.open(host(), 'en-US', 'light');
  });
  after(() => editor.close());

  const cases: Array<[id: string, node: object, field: string, value: string, reason: RegExp | true]> = [
    [DEMO_DEVICE, {}, 'productKey', '', /empty/],
    [DEMO_DEVICE, {}, 'productKey', 'a1 b', /blanks/],
    [DEMO_DEVICE, {}, 'productKey', 'x'.repeat(65), /64/],
    [DEMO_DEVICE, {}, 'productKey', `\${PK}`, true],
    [DEMO_DEVICE, {}, 'deviceName', '', /empty/],
    [DEMO_DEVICE, {}, 'deviceName', `gateway-\${SITE}`, true],
    [DEMO_DEVICE, { deviceNameFrom: 'mac' }, 'deviceName', '', true],
    [DEMO_DEVICE, {}, 'platform', '', /Choose a platform/],
    [DEMO_DEVICE, {}, 'platform', 'gone', /no longer exists/],
    [DEMO_DEVICE, {}, 'port', '70000', /1 to 65535/],
    [DEMO_DEVICE, {}, 'port', '', true],
    [DEMO_DEVICE, {}, 'keepAlive', '29', /30 to 1200/],
    [DEMO_DEVICE, {}, 'requestTimeout', '0', /1 to 3600/],
    [DEMO_DEVICE, {}, 'clientId', 'a|b', /\|/],
    [DEMO_DEVICE, {}, 'clientId', 'x'.repeat(65), /64/],
    [DEMO_DEVICE, {}, 'thingModel', '{', /not JSON/],
    [DEMO_DEVICE, {}, 'thingModel', '[]', /JSON object/],
    [DEMO_DEVICE, {}, 'thingModel', '{"a":1}', /not a thing model/],
    [DEMO_DEVICE, { thingModelSource: 'none' }, 'thingModel', '{', true],
    [DEMO_PLATFORM, {}, 'emulatorMqttPort', 'x', /0 to 65535/],
    [DEMO_PLATFORM, {}, 'emulatorConfig', '{', /not JSON/],
    [DEMO_PLATFORM, {}, 'host', '', true],
    [DEMO_PLATFORM, { kind: 'custom' }, 'host', '', /host name/],
    [DEMO_PLATFORM, { kind: 'custom' }, 'host', 'mqtt://x', /no protocol/],
    [DEMO_PLATFORM, { kind: 'custom' }, 'httpUrl', 'ftp://x', /https/],
    [DEMO_PLATFORM, { kind: 'custom' }, 'ca', 'x', /PEM/],
    [DEMO_PLATFORM, { kind: 'instance' }, 'instanceId', '', /instance ID/],
    [DEMO_PLATFORM, { kind: 'public' }, 'region', 'Shanghai!', /cn-shanghai/],
    [idOf('alink-property-post'), {}, 'device', '', /Choose a device/],
    [idOf('alink-property-post'), {}, 'identifier', 'a/b', /letters/],
    [idOf('alink-property-post'), {}, 'identifier', 'module:temperature', true],
    [idOf('alink-event-out'), {}, 'timeout', '-1', /1 to 3600/],
    [idOf('alink-lifecycle'), {}, 'device', 'gone', /no longer exists/],
  ];
  for (const [id, changes, field, value, reason] of cases) {
    it(`${field} "${value.slice(0, 20)}" ${JSON.stringify(changes)}`, async () => {
      const verdict = await editor.page.evaluate(
        ([nodeId, given, name, text]) => {
          const node = Reflect.get(window, 'RED').nodes.node(nodeId);
          return node._def.defaults[name].validate.call({ ...node, ...given }, text, {}) as unknown;
        },
        [id, changes, field, value] as const,
      );
      if (reason === true) assert.equal(verdict, true);
      else assert.match(String(verdict), reason);
    });
  }
});

describe('identifiers in the report dialogs', () => {
  const host = useEditor();

  it('are suggested from the thing model of the deployed device', async () => {
    const editor = await EditorPage.open(host(), 'en-US', 'light');
    for (const [type, identifier] of [
      ['alink-property-post', 'humidity'],
      ['alink-event-out', 'overheat'],
    ] as const) {
      const answered = editor.page.waitForResponse((response) => response.url().endsWith('/thing-model'));
      await editor.openDialog(idOf(type));
      await answered;
      await editor.field('identifier').fill('');
      await editor.field('identifier').click();
      await editor.page.locator('.alink-suggestion', { hasText: identifier }).click();
      assert.equal(await editor.field('identifier').inputValue(), identifier);
      await editor.closeDialog();
    }
    assert.deepEqual(editor.problems, []);
    await editor.close();
  });
});
