import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { EditorPage, idOf, useEditor } from '../support/editor';

const CONFIG = idOf('alink-config-push');
const OUTPUTS = ['configuration', 'document', 'plans', 'modbus', 'opcua', 'flow'];

describe('dialog of configuration from the cloud', () => {
  const host = useEditor();
  let editor: EditorPage;
  before(async () => {
    editor = await EditorPage.open(host(), 'en-US', 'light');
  });
  after(() => editor.close());

  const visible = (field: string) => editor.field(field).isVisible();

  it('explains each output, and shows what belongs to it', async () => {
    await editor.openDialog(CONFIG);
    const explained = new Set<string>();
    for (const output of OUTPUTS) {
      await editor.field('output').selectOption(output);
      explained.add((await editor.note('output').textContent()) ?? '');
      const isModel = output !== 'configuration';
      assert.equal(await visible('reply'), !isModel, output);
      assert.equal(await visible('guarded'), !isModel, output);
      assert.equal(await visible('flowAs'), output === 'flow', output);
      assert.equal(await visible('passwords'), ['plans', 'opcua', 'flow'].includes(output), output);
      // The demo's device is no gateway.
      assert.equal(await editor.note('device').isVisible(), isModel, output);
      assert.match((await editor.note('ask').textContent()) ?? '', isModel ? /on disk/ : /each connect/);
      const label = editor.page.locator('.alink-form [data-role="ask"]');
      assert.equal(await label.textContent(), isModel ? 'Last one at start' : 'Ask on connecting');
    }
    assert.equal(explained.size, OUTPUTS.length);
    assert.equal(await editor.field('output').locator('option').count(), OUTPUTS.length);
    await editor.closeDialog();
    assert.deepEqual(editor.problems, []);
  });

  it('a time limit only where the flow answers, a time to confirm only where it is guarded', async () => {
    await editor.openDialog(CONFIG);
    await editor.field('output').selectOption('configuration');
    for (const [reply, guarded] of [
      ['now', false],
      ['flow', true],
    ] as const) {
      await editor.field('reply').selectOption(reply);
      await editor.field('guarded').setChecked(guarded);
      assert.equal(await visible('timeLimit'), reply === 'flow');
      assert.equal(await visible('guardTime'), guarded);
    }
    await editor.closeDialog();
  });

  it('what a flow written by hand leaves out is shown as it works', async () => {
    await editor.page.evaluate((id) => {
      const node = Reflect.get(window, 'RED').nodes.node(id);
      for (const field of ['output', 'reply', 'flowAs']) delete node[field];
    }, CONFIG);
    await editor.openDialog(CONFIG);
    assert.equal(await editor.field('output').inputValue(), 'configuration');
    assert.equal(await editor.field('reply').inputValue(), 'now');
    assert.equal(await editor.field('flowAs').inputValue(), 'array');
    await editor.closeDialog();
  });

  const cases: Array<[field: string, value: string, reason: RegExp | true]> = [
    ['guardTime', '0', /0\.05 to 1440/],
    ['guardTime', '', true],
    ['guardTime', `\${GUARD}`, true],
    ['mostSize', '20000', /1 to 16384/],
    ['hosts', 'a.example.com, *.example.org', true],
    ['hosts', 'https://example.com', /no host name/],
    ['hosts', '', true],
    ['timeLimit', '4000', /0\.1 to 3600/],
    ['device', '', /Choose a device/],
  ];
  for (const [field, value, reason] of cases) {
    it(`${field} "${value}"`, async () => {
      const verdict = await editor.page.evaluate(
        ([nodeId, name, text]) => {
          const node = Reflect.get(window, 'RED').nodes.node(nodeId);
          return node._def.defaults[name].validate.call(node, text, {}) as unknown;
        },
        [CONFIG, field, value] as const,
      );
      if (reason === true) assert.equal(verdict, true);
      else assert.match(String(verdict), reason);
    });
  }
});
