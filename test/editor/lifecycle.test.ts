import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { DEMO_DEVICE, EditorPage, idOf, useEditor } from '../support/editor';

/** What the tests use of the editor, inside the page. */
declare const RED: { nodes: { node(id: string): Record<string, unknown> | null } };

const LIFECYCLE = idOf('alink-lifecycle');
const EVENTS = ['own', 'subDevices', 'notices'] as const;

describe('dialog of alink-lifecycle', () => {
  const host = useEditor();
  let editor: EditorPage;
  before(async () => {
    editor = await EditorPage.open(host(), 'en-US', 'light');
  });
  after(() => editor.close());

  /** Opens the dialog with a device of this role, and with fields as a flow may hold them. */
  async function open(role: string, fields: Record<string, unknown> = {}): Promise<void> {
    await editor.page.evaluate(
      ([device, node, name, values]) => {
        Object.assign(RED.nodes.node(device) ?? {}, { role: name });
        Object.assign(RED.nodes.node(node) ?? {}, values);
      },
      [DEMO_DEVICE, LIFECYCLE, role, fields] as const,
    );
    await editor.openDialog(LIFECYCLE);
  }

  const shown = () => Promise.all(EVENTS.map((name) => editor.field(name).isVisible()));
  const notes = async () =>
    (await editor.page.locator('.alink-form .alink-note:visible').allTextContents()).join(' ');

  it('offers what to tell for a gateway only', async () => {
    await open('gateway');
    assert.deepEqual(await shown(), [true, true, true]);
    assert.doesNotMatch(await notes(), /about this sub-device/);
    await editor.closeDialog();
    await open('device');
    assert.deepEqual(await shown(), [false, false, false]);
    assert.doesNotMatch(await notes(), /about this sub-device/);
    await editor.closeDialog();
    await open('subDevice');
    assert.deepEqual(await shown(), [false, false, false]);
    assert.match(await notes(), /about this sub-device/);
    await editor.closeDialog();
    assert.deepEqual(editor.problems, []);
  });

  it('shows for a flow from before gateways what the runtime makes of it', async () => {
    await open('gateway', { own: undefined, subDevices: undefined, notices: undefined });
    const ticked = await Promise.all(EVENTS.map((name) => editor.field(name).isChecked()));
    assert.deepEqual(ticked, [true, false, false]);
    await editor.closeDialog();
  });

  it('says when nothing is chosen, and keeps what is', async () => {
    await open('gateway', { own: true, subDevices: false, notices: false });
    assert.equal(await editor.note('nothing').isVisible(), false);
    await editor.field('own').uncheck();
    assert.match((await editor.note('nothing').textContent()) ?? '', /will send nothing/);
    assert.equal(await editor.note('nothing').isVisible(), true);
    await editor.field('subDevices').check();
    assert.equal(await editor.note('nothing').isVisible(), false);
    await editor.page.locator('#node-dialog-ok').click();
    await editor.page.locator('.red-ui-tray').waitFor({ state: 'detached' });
    const saved = await editor.page.evaluate((id) => {
      const { own, subDevices, notices } = RED.nodes.node(id) ?? {};
      return { own, subDevices, notices };
    }, LIFECYCLE);
    assert.deepEqual(saved, { own: false, subDevices: true, notices: false });
  });

  for (const theme of ['light', 'dark'] as const) {
    for (const language of ['en-US', 'zh-CN'] as const) {
      it(`fits 450 px for a gateway in ${language}, ${theme}`, async () => {
        const page = await EditorPage.open(host(), language, theme);
        await page.page.evaluate(
          (id) => Object.assign(RED.nodes.node(id) ?? {}, { role: 'gateway' }),
          DEMO_DEVICE,
        );
        await page.narrow();
        await page.openDialog(LIFECYCLE);
        const body = page.page.locator('.red-ui-tray-body-wrapper');
        assert.equal(await body.evaluate((element) => element.scrollWidth > element.clientWidth), false);
        const texts = await page.page.locator('.alink-form [data-roles="gateway"]').allInnerTexts();
        assert.equal(texts.length, 3);
        for (const text of texts) assert.equal(/[\u4e00-\u9fff]/.test(text), language === 'zh-CN', text);
        await page.close();
      });
    }
  }
});
