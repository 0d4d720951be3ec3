import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { DEMO, EditorPage, idOf, useEditor } from '../support/editor';
import { WORKSHOP_MODEL } from '../support/request-flows';
import type { FlowNode } from '../support/runtime';

const SET = idOf('alink-property-set');
const SERVICE = idOf('alink-service-in');
const REPLY = idOf('alink-service-reply');

describe('dialogs of requests', () => {
  const host = useEditor();
  let editor: EditorPage;
  before(async () => {
    editor = await EditorPage.open(host(), 'en-US', 'light');
  });
  after(() => editor.close());

  const limit = () => editor.page.locator('[data-row="timeLimit"]');
  const output = () => editor.page.locator('[data-row="output"]');

  it('property set: a time limit only where the flow answers, one message per property only where it does not', async () => {
    await editor.openDialog(SET);
    for (const [reply, get, limited, splits] of [
      ['now', 'reported', false, true],
      ['flow', 'reported', true, false],
      ['flow', 'flow', true, false],
      ['now', 'flow', true, true],
    ] as const) {
      await editor.field('reply').selectOption(reply);
      await editor.field('get').selectOption(get);
      assert.equal(await limit().isVisible(), limited, `time limit with ${reply} ${get}`);
      assert.equal(await output().isVisible(), splits, `output with ${reply} ${get}`);
    }
    await editor.field('reply').selectOption('now');
    assert.match((await editor.note('reply').textContent()) ?? '', /the message arrived/);
    await editor.closeDialog();
  });

  it('property set: what a flow written by hand leaves out is shown as it works', async () => {
    await editor.page.evaluate((id) => {
      const node = Reflect.get(window, 'RED').nodes.node(id);
      for (const field of ['reply', 'get', 'unknown', 'output']) delete node[field];
    }, SET);
    await editor.openDialog(SET);
    for (const [field, value] of [
      ['reply', 'now'],
      ['get', 'reported'],
      ['unknown', 'refuse'],
      ['output', 'object'],
    ] as const) {
      assert.equal(await editor.field(field).inputValue(), value);
      assert.doesNotMatch((await editor.note(field).textContent()) ?? '', /hint/);
    }
    await editor.closeDialog();
  });

  it('service in: a time limit only where the flow answers', async () => {
    await editor.openDialog(SERVICE);
    await editor.field('reply').selectOption('now');
    assert.equal(await limit().isVisible(), false);
    await editor.field('reply').selectOption('flow');
    assert.equal(await limit().isVisible(), true);
    await editor.closeDialog();
  });

  it('service in: says when the thing model has no such service', async () => {
    await editor.openDialog(SERVICE);
    await editor.note('identifier').getByText('Input: litres').waitFor();
    await editor.fill({ identifier: 'watr' });
    assert.match((await editor.note('identifier').textContent()) ?? '', /Not in the thing model/);
    await editor.fill({ identifier: `\${SERVICE}` });
    assert.equal(await editor.note('identifier').textContent(), '');
    await editor.closeDialog();
  });

  it('reply: says what a code means', async () => {
    await editor.openDialog(REPLY);
    const code = editor.field('code');
    for (const [value, words] of [
      ['460', /parameters are wrong/],
      ['100001', /of your own/],
    ] as const) {
      await code.evaluate((field, text) => {
        Reflect.get(window, '$')(field).typedInput('type', 'num');
        Reflect.get(window, '$')(field).typedInput('value', text);
      }, value);
      assert.match((await editor.note('code').textContent()) ?? '', words);
    }
    await editor.closeDialog();
    assert.deepEqual(editor.problems, []);
  });

  const cases: Array<[id: string, node: object, field: string, value: string, reason: RegExp | true]> = [
    [SET, {}, 'timeLimit', '0', /0\.1 to 3600/],
    [SET, {}, 'timeLimit', '', true],
    [SET, {}, 'timeLimit', `\${LIMIT}`, true],
    [SET, {}, 'device', '', /Choose a device/],
    [SERVICE, {}, 'timeLimit', '4000', /0\.1 to 3600/],
    [SERVICE, {}, 'identifier', 'a/b', /letters/],
    [SERVICE, {}, 'identifier', 'door:open', true],
    [SERVICE, {}, 'identifier', '', true],
    [REPLY, { codeType: 'num' }, 'code', '500', /100000 to 110000/],
    [REPLY, { codeType: 'num' }, 'code', '110001', /100000 to 110000/],
    [REPLY, { codeType: 'num' }, 'code', '100000.5', /100000 to 110000/],
    [REPLY, { codeType: 'num' }, 'code', '110000', true],
    [REPLY, { codeType: 'num' }, 'code', '429', true],
    [REPLY, { codeType: 'num' }, 'code', '', true],
    [REPLY, { codeType: 'msg' }, 'code', 'statusCode', true],
  ];
  for (const [id, changes, field, value, reason] of cases) {
    it(`${field} "${value}" ${JSON.stringify(changes)}`, async () => {
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

describe('services in the dialog', () => {
  const host = useEditor();
  after(() => host().runtime.deploy(DEMO));

  it('are suggested from the thing model, with what goes in and out', async () => {
    const workshop = DEMO.map(
      (node): FlowNode =>
        node.type === 'alink-device'
          ? {
              ...node,
              productKey: 'a1Workshop',
              thingModelSource: 'paste',
              thingModel: JSON.stringify(WORKSHOP_MODEL),
            }
          : node,
    );
    await host().runtime.deploy(workshop);
    const editor = await EditorPage.open(host(), 'en-US', 'light');
    const answered = editor.page.waitForResponse((response) => response.url().endsWith('/thing-model'));
    await editor.openDialog(SERVICE);
    await answered;
    await editor.field('identifier').fill('');
    await editor.field('identifier').click();
    // The answer has come, but the page may not have read it yet; typing asks for the list anew.
    await editor.page.waitForFunction(() => {
      document.querySelector('#node-input-identifier')?.dispatchEvent(new Event('input'));
      return document.querySelector('.alink-suggestion') !== null;
    });
    await editor.page.locator('.alink-suggestion', { hasText: 'double' }).click();
    assert.equal(await editor.field('identifier').inputValue(), 'double');
    await editor.page.waitForFunction(
      () =>
        document.querySelector('[data-note="identifier"]')?.textContent ===
        'Input: number (int). Output: result (int).',
    );
    await editor.closeDialog();
    assert.deepEqual(editor.problems, []);
    await editor.close();
  });
});
