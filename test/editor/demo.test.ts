import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'mocha';
import { EditorPage, idOf, useEditor } from '../support/editor';

describe('the demo', () => {
  const host = useEditor();

  it('is edited and deployed in the editor, and acknowledged by the emulator', async () => {
    const editor = await EditorPage.open(host(), 'en-US', 'light');
    const { page } = editor;
    await editor.openDialog(idOf('alink-property-post'));
    await editor.field('name').fill('my greenhouse');
    await page.locator('#node-dialog-ok').click();
    await page.locator('.red-ui-tray').waitFor({ state: 'detached' });
    const deployed = once(host().runtime.events, 'flows:started');
    await page.locator('#red-ui-header-button-deploy').click();
    await deployed;
    await page.locator('.red-ui-flow-node-status-label', { hasText: 'online' }).first().waitFor();
    await page
      .locator('.red-ui-debug-msg', { hasText: 'acknowledged' })
      .first()
      .waitFor({ state: 'attached' });
    const label = page.locator('.red-ui-flow-node-label-text', { hasText: 'my greenhouse' });
    assert.equal(await label.count(), 1);
    assert.deepEqual(editor.problems, []);
    await editor.close();
  });
});
