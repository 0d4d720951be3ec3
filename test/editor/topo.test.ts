import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { DEMO_DEVICE, EditorPage, idOf, useEditor } from '../support/editor';

const TOPO = idOf('alink-topo');
const LOGIN = idOf('alink-subdevice-login');
const ACTIONS = ['add', 'delete', 'get', 'found', 'handle', 'register', 'productRegister'];

describe('dialogs of topology and sub-device login', () => {
  const host = useEditor();
  let editor: EditorPage;
  before(async () => {
    editor = await EditorPage.open(host(), 'en-US', 'light');
  });
  after(() => editor.close());

  const visible = (field: string) => editor.field(field).isVisible();
  const typed = () => editor.page.locator('[data-row="devices"]').first().isVisible();

  it('explain each action, and ask for what it needs', async () => {
    await editor.openDialog(TOPO);
    const explained = new Set<string>();
    for (const action of ACTIONS) {
      await editor.field('action').selectOption(action);
      explained.add((await editor.note('action').textContent()) ?? '');
      assert.equal(await typed(), action !== 'get', action);
      assert.equal(await visible('productKey'), action !== 'get', action);
      assert.equal(await visible('productSecret'), action === 'productRegister', action);
      assert.equal(await visible('handOut'), /register/i.test(action), action);
    }
    assert.equal(explained.size, ACTIONS.length);
    assert.equal(await editor.field('action').locator('option').count(), ACTIONS.length);
    await editor.closeDialog();
    assert.deepEqual(editor.problems, []);
  });

  it('a node that admits has to hear of requests', async () => {
    await editor.openDialog(TOPO);
    await editor.fill({ action: 'add', notify: 'none' });
    await editor.fill({ action: 'handle' });
    assert.equal(await editor.field('notify').inputValue(), 'admit');
    assert.equal(await editor.field('notify').locator('option[value="none"]').isEnabled(), false);
    await editor.fill({ notify: 'pass' });
    assert.match((await editor.note('notify').textContent()) ?? '', /flow decides/);
    await editor.fill({ action: 'add' });
    assert.equal(await editor.field('notify').inputValue(), 'pass');
    assert.equal(await editor.field('notify').locator('option[value="none"]').isEnabled(), true);
    await editor.closeDialog();
  });

  it('warn of secrets in messages, which nobody gets unless asked', async () => {
    await editor.openDialog(TOPO);
    await editor.field('action').selectOption('register');
    assert.equal(await editor.field('handOut').isChecked(), false);
    assert.match((await editor.note('handOut').textContent()) ?? '', /never put into messages/);
    await editor.field('handOut').check();
    assert.match((await editor.note('handOut').textContent()) ?? '', /debug/);
    await editor.closeDialog();
  });

  it('keep the ProductSecret out of what is exported', async () => {
    await editor.openDialog(TOPO);
    await editor.field('action').selectOption('productRegister');
    assert.equal(await editor.field('productSecret').getAttribute('type'), 'password');
    await editor.fill({ productSecret: 'my-secret', productKey: 'a1Meter' });
    await editor.page.locator('#node-dialog-ok').click();
    await editor.page.locator('.red-ui-tray').waitFor({ state: 'detached' });
    const exported = await editor.page.evaluate((id) => {
      const { nodes } = Reflect.get(window, 'RED');
      return JSON.stringify(nodes.createExportableNodeSet([nodes.node(id)]));
    }, TOPO);
    assert.match(exported, /"productRegister"/);
    assert.match(exported, /"a1Meter"/);
    assert.doesNotMatch(exported, /my-secret/);
  });

  it('say what becomes of secrets of a message', async () => {
    await editor.openDialog(LOGIN);
    await editor.field('action').selectOption('login');
    assert.equal(await editor.field('store').isChecked(), false);
    assert.match((await editor.note('store').textContent()) ?? '', /in memory/);
    await editor.field('store').check();
    assert.match((await editor.note('store').textContent()) ?? '', /on disk/);
    await editor.field('action').selectOption('logout');
    assert.equal(await visible('store'), false);
    assert.equal(await visible('productKey'), true);
    await editor.closeDialog();
    assert.deepEqual(editor.problems, []);
  });

  it('say that a device is no gateway', async () => {
    for (const id of [TOPO, LOGIN]) {
      await editor.openDialog(id);
      assert.equal((await editor.note('device').textContent()) ?? '', '', 'the one of the example');
      await editor.field('device').selectOption(DEMO_DEVICE);
      assert.match((await editor.note('device').textContent()) ?? '', /no gateway/);
      await editor.closeDialog();
    }
  });

  const cases: Array<[role: string | undefined, field: string, value: string, reason: RegExp | true]> = [
    ['gateway', 'device', DEMO_DEVICE, true],
    ['device', 'device', DEMO_DEVICE, /no gateway/],
    ['subDevice', 'device', DEMO_DEVICE, /no gateway/],
    [undefined, 'device', DEMO_DEVICE, /no gateway/],
    ['gateway', 'device', '', /Choose/],
    ['gateway', 'device', 'gone', /no longer/],
    ['gateway', 'productKey', '', true],
    ['gateway', 'productKey', 'a1Meter', true],
    ['gateway', 'productKey', `\${METERS}`, true],
    ['gateway', 'productKey', 'a/b', /Must not/],
    ['gateway', 'timeout', '', true],
    ['gateway', 'timeout', '0', /1 to 3600/],
  ];
  for (const [role, field, value, reason] of cases) {
    it(`${field} "${value}" behind a ${role}`, async () => {
      for (const id of [TOPO, LOGIN]) {
        const verdict = await editor.page.evaluate(
          ([nodeId, deviceId, asRole, name, text]) => {
            const { nodes } = Reflect.get(window, 'RED');
            const [node, device] = [nodes.node(nodeId), nodes.node(deviceId)];
            const before = device.role;
            device.role = asRole;
            const found = node._def.defaults[String(name)].validate.call({ ...node }, text, {}) as unknown;
            device.role = before;
            return found;
          },
          [id, DEMO_DEVICE, role, field, value] as const,
        );
        if (reason === true) assert.equal(verdict, true);
        else assert.match(String(verdict), reason);
      }
    });
  }
});
