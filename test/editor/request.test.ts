import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { OFFERED } from '../../nodes/alink-request/options';
import { EditorPage, idOf, useEditor } from '../support/editor';

const REQUEST = idOf('alink-request');

describe('dialog of requests to the platform', () => {
  const host = useEditor();
  let editor: EditorPage;
  before(async () => {
    editor = await EditorPage.open(host(), 'en-US', 'light');
  });
  after(() => editor.close());

  const parameters = () => editor.page.locator('[data-parameter]');

  it('lists every operation once, grouped by purpose', async () => {
    await editor.openDialog(REQUEST);
    const groups = editor.field('operation').locator('optgroup');
    assert.equal(await groups.count(), new Set(OFFERED.map(({ purpose }) => purpose)).size);
    assert.equal(await groups.locator('option').count(), OFFERED.length);
    await editor.closeDialog();
  });

  it('has the fields of the chosen operation and keeps what was written', async () => {
    await editor.openDialog(REQUEST);
    const written = await parameters().evaluateAll((all) => all.map((field) => Reflect.get(field, 'value')));
    await editor.field('operation').selectOption('thing.job.update');
    assert.deepEqual(
      await parameters().evaluateAll((all) => all.map((field) => field.getAttribute('data-parameter'))),
      ['taskId', 'status', 'progress', 'statusDetails'],
    );
    assert.equal(await editor.page.locator('[data-row="pushes"]').isVisible(), true);
    await editor.field('operation').selectOption('thing.reset');
    assert.equal(await parameters().count(), 0);
    await editor.field('operation').selectOption('thing.deviceinfo.update');
    assert.deepEqual(
      await parameters().evaluateAll((all) => all.map((field) => Reflect.get(field, 'value'))),
      written,
    );
    assert.ok(written.includes('room'));
    await editor.closeDialog();
    assert.deepEqual(editor.problems, []);
  });

  it('saves what the form holds', async () => {
    await editor.openDialog(REQUEST);
    await editor.field('operation').selectOption('thing.job.get');
    await editor.page.locator('#node-dialog-ok').click();
    await editor.page.locator('.red-ui-tray').waitFor({ state: 'detached' });
    const saved = await editor.page.evaluate((id) => {
      const { operation, entries, changed } = Reflect.get(window, 'RED').nodes.node(id);
      return { operation, entries, changed };
    }, REQUEST);
    const entries = [{ taskId: { value: '$next', type: 'str' } }];
    assert.deepEqual(saved, { operation: 'thing.job.get', entries, changed: true });
  });

  it('a file has its content in the form, and nothing for what the SDK knows', async () => {
    await editor.openDialog(REQUEST);
    await editor.field('operation').selectOption('thing.file.upload.mqtt.init');
    assert.deepEqual(
      await parameters().evaluateAll((all) =>
        all.map((field) => [field.getAttribute('data-parameter'), Reflect.get(field, 'value')]),
      ),
      [
        ['content', 'payload'],
        ['fileName', ''],
        ['conflictStrategy', 'overwrite'],
        ['extraParams', ''],
      ],
    );
    assert.equal(await editor.page.locator('[data-row="source"]').isVisible(), false);
    assert.equal(await editor.page.locator('[data-row="pushes"]').isVisible(), false);
    // Chosen for another operation, which is not this one's.
    await editor.field('operation').selectOption('shadow.update');
    await editor.field('source').selectOption('payload');
    assert.equal(await editor.page.locator('[data-role="entries"]').isVisible(), false);
    await editor.field('operation').selectOption('thing.file.upload.mqtt.init');
    assert.equal(await editor.page.locator('[data-role="entries"]').isVisible(), true);
    await editor.closeDialog();
  });

  it('a field that is optional and JSON starts as not set, without a complaint', async () => {
    await editor.openDialog(REQUEST);
    await editor.field('operation').selectOption('shadow.update');
    assert.equal(await editor.page.locator('[data-role="entries"] .input-error').count(), 0);
    assert.equal(await editor.page.locator('[data-role="entries"]').getByText('not set').isVisible(), true);
    await editor.closeDialog();
  });

  it('the platform’s time asks for nothing', async () => {
    await editor.openDialog(REQUEST);
    await editor.field('operation').selectOption('ext.ntp.request');
    assert.equal(await parameters().count(), 0);
    assert.equal(await editor.page.locator('[data-row="source"]').isVisible(), false);
    await editor.closeDialog();
    assert.deepEqual(editor.problems, []);
  });

  for (const [node, valid] of [
    [{ operation: 'thing.job.update', source: 'form', entries: [{}] }, /Job ID/],
    [{ operation: 'thing.job.update', source: 'payload', entries: [{}] }, true],
    [{ operation: 'thing.reset', source: 'form', entries: [] }, true],
    [{ operation: 'ext.ntp.request', source: 'form', entries: [] }, true],
    [{ operation: 'thing.file.upload.mqtt.init', source: 'payload', entries: [{}] }, /File name/],
    [{ operation: 'shadow.update', source: 'form', entries: [{}] }, true],
  ] as const) {
    it(`${node.operation} from ${node.source}: ${valid}`, async () => {
      const found = await editor.page.evaluate(
        (given) =>
          Reflect.get(window, 'RED')
            .nodes.getType('alink-request')
            .defaults.entries.validate.call(given, [], {}),
        node,
      );
      if (valid === true) assert.equal(found, true);
      else assert.match(String(found), valid);
    });
  }
});
