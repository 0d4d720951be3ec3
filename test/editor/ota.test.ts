import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { EditorPage, idOf, useEditor } from '../support/editor';

const IN = idOf('alink-ota-in');
const PROGRESS = idOf('alink-ota-progress');

describe('dialogs of firmware over the air', () => {
  const host = useEditor();
  let editor: EditorPage;
  before(async () => {
    editor = await EditorPage.open(host(), 'en-US', 'light');
  });
  after(() => editor.close());

  const visible = (field: string) => editor.field(field).isVisible();
  const note = async (name: string) => (await editor.note(name).textContent()) ?? '';
  const stored = (id: string, field: string) =>
    editor.page.evaluate(([node, name]) => Reflect.get(window, 'RED').nodes.node(node)[String(name)], [
      id,
      field,
    ] as const);
  const save = async () => {
    await editor.page.locator('#node-dialog-ok').click();
    await editor.page.locator('.red-ui-tray').waitFor({ state: 'detached' });
  };
  const isWrong = (field: string) =>
    editor.field(field).evaluate((element) => element.classList.contains('input-error'));
  const chooseType = (field: string, type: string) =>
    editor.page.evaluate(
      ([name, value]) => Reflect.get(window, '$')(`#node-input-${name}`).typedInput('type', value),
      [field, type] as const,
    );

  it('ask for folder and limits only where files are loaded, and warn of addresses', async () => {
    await editor.openDialog(IN);
    await editor.field('work').selectOption('download');
    for (const field of ['folder', 'hosts', 'keep', 'mostMegabytes', 'progressMessages']) {
      assert.equal(await visible(field), true, field);
    }
    assert.match(await note('work'), /never|Nothing is ever executed/);
    await editor.field('work').selectOption('offer');
    for (const field of ['folder', 'hosts', 'keep', 'mostMegabytes', 'progressMessages']) {
      assert.equal(await visible(field), false, field);
    }
    assert.match(await note('work'), /keep them out of logs/);
    assert.equal(await visible('attempts'), true);
    await editor.closeDialog();
    assert.deepEqual(editor.problems, []);
  });

  it('explain where the version comes from', async () => {
    await editor.openDialog(IN);
    const explained = new Set<string>();
    for (const type of ['remembered', 'file', 'none', 'env']) {
      await chooseType('version', type);
      explained.add(await note('version'));
    }
    assert.equal(explained.size, 4);
    await chooseType('version', 'file');
    await editor.fill({ version: '/etc/firmware-version' });
    await save();
    assert.deepEqual(
      [await stored(IN, 'versionType'), await stored(IN, 'version')],
      ['file', '/etc/firmware-version'],
    );
    await editor.openDialog(IN);
    assert.equal(await editor.field('version').inputValue(), '/etc/firmware-version');
    await editor.closeDialog();
  });

  it('mark what cannot be', async () => {
    await editor.openDialog(IN);
    for (const [field, wrong, right] of [
      ['hosts', 'not a host!', '*.aliyuncs.com, files.example.org'],
      ['attempts', '0', '3'],
      ['keep', '1.5', '2'],
      ['mostMegabytes', '-1', '0.5'],
      ['module', 'm'.repeat(65), 'mcu'],
    ] as const) {
      await editor.fill({ [field]: wrong });
      assert.equal(await isWrong(field), true, field);
      await editor.fill({ [field]: right });
      assert.equal(await isWrong(field), false, field);
    }
    await editor.closeDialog();
  });

  it('of progress show what each report needs, and read what it usually is in', async () => {
    await editor.openDialog(PROGRESS);
    const explained = new Set<string>();
    for (const [action, shown] of [
      ['version', ['value']],
      ['progress', ['value', 'description']],
      ['failure', ['step', 'description']],
      ['message', ['value']],
    ] as const) {
      await editor.field('action').selectOption(action);
      explained.add(await note('action'));
      for (const field of ['value', 'description', 'step']) {
        const row = editor.page.locator('.alink-form .form-row', { has: editor.field(field) });
        assert.equal(
          await row.isVisible(),
          (shown as readonly string[]).includes(field),
          `${action} ${field}`,
        );
      }
    }
    assert.equal(explained.size, 4);
    await save();
    assert.deepEqual(
      [await stored(PROGRESS, 'action'), await stored(PROGRESS, 'value')],
      ['message', 'payload'],
    );
    await editor.openDialog(PROGRESS);
    await editor.field('action').selectOption('version');
    await save();
    assert.equal(await stored(PROGRESS, 'value'), 'payload.version');
    assert.deepEqual(editor.problems, []);
  });
});
