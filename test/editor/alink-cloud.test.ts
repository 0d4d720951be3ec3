import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { CLOUD_ACTIONS } from '../../protocol';
import { EditorPage, idOf, PUBLIC_PLATFORM, useEditor } from '../support/editor';

const CLOUD = idOf('alink-cloud');
const ROWS = ['identifier', 'topic', 'qos', 'timeout', 'value'];

describe('dialog of alink-cloud', () => {
  const host = useEditor();
  let editor: EditorPage;
  before(async () => {
    editor = await EditorPage.open(host(), 'en-US', 'light');
  });
  after(() => editor.close());

  const shown = async (): Promise<string[]> =>
    editor.page
      .locator('.alink-form [data-fields]:visible')
      .evaluateAll((rows) => rows.map((row) => row.getAttribute('data-fields') ?? ''));

  it('shows the fields that each action has, and says what goes into them', async () => {
    await editor.openDialog(CLOUD);
    for (const { name, fields, history } of CLOUD_ACTIONS) {
      await editor.fill({ action: name });
      assert.deepEqual((await shown()).sort(), [...fields].sort(), name);
      assert.notEqual(await editor.note('action').textContent(), '', name);
      if (fields.includes('value')) assert.notEqual(await editor.note('value').textContent(), '', name);
      const times = (await editor.note('identifier').textContent()) ?? '';
      assert.equal(/last 7 days/.test(times), history === true, name);
    }
    assert.deepEqual([...new Set(CLOUD_ACTIONS.flatMap(({ fields }) => fields))].sort(), [...ROWS].sort());
    await editor.closeDialog();
    assert.deepEqual(editor.problems, []);
  });

  it('takes any other action, by its name and parameters alone', async () => {
    await editor.openDialog(CLOUD);
    await editor.fill({ action: 'BatchGetDeviceState' });
    assert.deepEqual(await shown(), []);
    assert.match((await editor.note('action').textContent()) ?? '', /by its name/);
    assert.equal(await editor.page.locator('#node-input-action.input-error').count(), 0);
    await editor.fill({ action: 'no name' });
    await editor.page.locator('#node-input-action.input-error').waitFor();
    await editor.closeDialog();
  });

  it('says whether a blank identifier comes from the message or means all', async () => {
    await editor.openDialog(CLOUD);
    const blank = () => editor.field('identifier').getAttribute('placeholder');
    await editor.fill({ action: 'InvokeThingService' });
    assert.match((await blank()) ?? '', /msg\.alink/);
    await editor.fill({ action: 'QueryDeviceEventData' });
    assert.match((await blank()) ?? '', /all/);
    await editor.closeDialog();
  });

  it('finds an action by a word of what it does', async () => {
    await editor.openDialog(CLOUD);
    await editor.settled();
    await editor.field('action').fill('');
    await editor.field('action').pressSequentially('shadow document');
    await editor.page.locator('.alink-suggestion', { hasText: 'GetDeviceShadow' }).click();
    assert.equal(await editor.field('action').inputValue(), 'GetDeviceShadow');
    await editor.closeDialog();
  });

  it('saves what was filled in', async () => {
    await editor.openDialog(CLOUD);
    await editor.fill({ action: 'InvokeThingService', identifier: 'pour', parameters: '{"Qos":1}' });
    await editor.page.locator('#node-dialog-ok').click();
    await editor.page.locator('.red-ui-tray').waitFor({ state: 'detached' });
    const saved = await editor.page.evaluate((id) => {
      const { action, identifier, parameters, valueType } = Reflect.get(window, 'RED').nodes.node(id);
      return { action, identifier, parameters, valueType } as unknown;
    }, CLOUD);
    assert.deepEqual(saved, {
      action: 'InvokeThingService',
      identifier: 'pour',
      parameters: '{"Qos":1}',
      valueType: 'msg',
    });
    assert.deepEqual(editor.problems, []);
  });

  const cases: Array<[field: string, value: string, reason: RegExp | true]> = [
    ['action', 'SetDeviceProperty', true],
    ['action', `\${ACTION}`, true],
    ['action', '', /name of an action/],
    ['action', 'Set Device', /name of an action/],
    ['action', '9', /name of an action/],
    ['platform', '', /Choose/],
    ['device', '', true],
    ['device', 'gone', /Choose|exist/],
    ['timeout', '', true],
    ['timeout', '1', true],
    ['timeout', '8', true],
    ['timeout', '0.5', /1 to 8/],
    ['timeout', '9', /1 to 8/],
    ['timeout', 'soon', /1 to 8/],
  ];
  for (const [field, value, reason] of cases) {
    it(`${field} "${value}"`, async () => {
      const verdict = await judge(editor, CLOUD, field, value);
      if (reason === true) assert.equal(verdict, true);
      else assert.match(String(verdict), reason);
    });
  }
});

describe('cloud API in the dialog of alink-platform', () => {
  const host = useEditor();
  let editor: EditorPage;
  before(async () => {
    editor = await EditorPage.open(host(), 'en-US', 'light');
  });
  after(() => editor.close());

  it('asks for a key where there is no emulator, and never shows it', async () => {
    await editor.openDialog(PUBLIC_PLATFORM);
    for (const kind of ['public', 'instance', 'custom', 'emulator']) {
      await editor.field('kind').selectOption(kind);
      for (const field of ['accessKeyId', 'accessKeySecret', 'openApiUrl']) {
        assert.equal(await editor.field(field).isVisible(), kind !== 'emulator', `${field} with ${kind}`);
      }
    }
    for (const field of ['accessKeyId', 'accessKeySecret']) {
      assert.equal(await editor.field(field).getAttribute('type'), 'password');
    }
    await editor.closeDialog();
    assert.deepEqual(editor.problems, []);
  });

  it('keeps the key out of what is exported', async () => {
    await editor.openDialog(PUBLIC_PLATFORM);
    await editor.fill({ accessKeyId: 'LTAI-my-id', accessKeySecret: 'my-secret' });
    await editor.page.locator('#node-config-dialog-ok').click();
    await editor.page.locator('.red-ui-tray').waitFor({ state: 'detached' });
    const exported = await editor.page.evaluate((id) => {
      const { nodes } = Reflect.get(window, 'RED');
      return JSON.stringify(nodes.createExportableNodeSet([nodes.node(id)]));
    }, PUBLIC_PLATFORM);
    assert.match(exported, /"alink-platform"/);
    assert.doesNotMatch(exported, /my-id|my-secret/);
  });

  const cases: Array<[value: string, reason: RegExp | true]> = [
    ['', true],
    [`\${API}`, true],
    ['https://iot.eu-central-1.aliyuncs.com', true],
    ['http://127.0.0.1:1880', true],
    ['http://localhost:1880', true],
    ['http://[::1]:1880/', true],
    ['http://127.0.0.1@example.com', /https/],
    ['http://iot.cn-shanghai.aliyuncs.com', /https/],
    ['http://localhost.example.com', /https/],
    ['http://127.0.0.1.example.com', /https/],
    ['iot.cn-shanghai.aliyuncs.com', /https/],
  ];
  for (const [value, reason] of cases) {
    it(`API address "${value}"`, async () => {
      const verdict = await judge(editor, PUBLIC_PLATFORM, 'openApiUrl', value);
      if (reason === true) assert.equal(verdict, true);
      else assert.match(String(verdict), reason);
    });
  }
});

/** What the dialog says of a value of a field. */
function judge(editor: EditorPage, id: string, field: string, value: string): Promise<unknown> {
  return editor.page.evaluate(
    ([nodeId, name, text]) => {
      const node = Reflect.get(window, 'RED').nodes.node(nodeId);
      return node._def.defaults[name].validate.call({ ...node }, text, {}) as unknown;
    },
    [id, field, value] as const,
  );
}
