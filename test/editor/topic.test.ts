import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { EditorPage, idOf, useEditor } from '../support/editor';

describe('dialogs of topics and raw data', () => {
  const host = useEditor();
  let editor: EditorPage;
  before(async () => {
    editor = await EditorPage.open(host(), 'en-US', 'light');
  });
  after(() => editor.close());

  const wrong = (field: string) =>
    editor.field(field).evaluate((input) => input.classList.contains('input-error'));
  const row = (field: string) => editor.field(field).isVisible();

  it('topic in: shows what each source needs and what a short topic stands for', async () => {
    await editor.openDialog(idOf('alink-topic-in'));
    for (const [source, qos, limit, full] of [
      ['topic', true, false, /^= \/\w+\/[\w-]+\/news$/],
      ['broadcast', true, false, /^= \/broadcast\/\w+\/news$/],
      ['rrpc', false, true, /^= \/\w+\/[\w-]+\/news$/],
    ] as const) {
      await editor.field('source').selectOption(source);
      await editor.fill({ topic: 'news' });
      assert.deepEqual([await row('qos'), await row('timeLimit')], [qos, limit], source);
      assert.match((await editor.note('topic').textContent()) ?? '', full);
    }
    await editor.closeDialog();
  });

  it('topic in: refuses what cannot be subscribed, and follows the source', async () => {
    await editor.openDialog(idOf('alink-topic-in'));
    await editor.field('source').selectOption('topic');
    for (const [topic, refused] of [
      ['user/get', false],
      ['user/+/state', false],
      ['user/#', false],
      ['', true],
      ['user/a+', true],
      ['/a1Other/house/user/get', true],
      [`/\${productKey}/\${deviceName}/user/get`, false],
      [`/\${OTHER}/user/get`, false],
    ] as const) {
      await editor.fill({ topic });
      assert.equal(await wrong('topic'), refused, topic);
    }
    await editor.fill({ topic: '' });
    await editor.field('source').selectOption('rrpc');
    assert.equal(await wrong('topic'), false, 'blank with rrpc');
    await editor.field('source').selectOption('topic');
    assert.equal(await wrong('topic'), true, 'blank with topic');
    await editor.closeDialog();
  });

  it('topic out: refuses wildcards and topics of others; the message may name it', async () => {
    await editor.openDialog(idOf('alink-topic-out'));
    for (const [topic, refused] of [
      ['', false],
      ['user/update', false],
      ['user/+', true],
      ['/a1Other/house/user/update', true],
    ] as const) {
      await editor.fill({ topic });
      assert.equal(await wrong('topic'), refused, topic);
    }
    const notes: unknown[] = [];
    for (const qos of ['0', '1']) {
      await editor.field('qos').selectOption(qos);
      notes.push(await editor.note('qos').textContent());
    }
    assert.match(notes.join(), /nobody tells.*acknowledged the message/);
    await editor.closeDialog();
  });

  it('raw in: a time limit only where the flow may answer', async () => {
    await editor.openDialog(idOf('alink-raw-in'));
    for (const [reply, limit] of [
      ['flow', true],
      ['none', false],
    ] as const) {
      await editor.field('reply').selectOption(reply);
      assert.equal(await row('timeLimit'), limit);
    }
    await editor.closeDialog();
  });

  it('raw out: says what text stands for', async () => {
    await editor.openDialog(idOf('alink-raw-out'));
    await editor.field('text').selectOption('base64');
    assert.match((await editor.note('text').textContent()) ?? '', /Af86/);
    await editor.closeDialog();
    assert.deepEqual(editor.problems, []);
  });
});
