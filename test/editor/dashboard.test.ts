import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'mocha';
import type { Browser, Page } from 'playwright-core';
import { launchBrowser } from '../support/browser';
import { type NodeRed, startNodeRed } from '../support/node-red';
import type { FlowNode } from '../support/runtime';
import { newUserDir } from '../support/user-dir';

const FILE = join(resolve(__dirname, '..', '..'), 'examples', '18-dashboard.json');
const FLOWS = JSON.parse(readFileSync(FILE, 'utf8')) as FlowNode[];

/** The example with the dashboard that most of our users have, imported as it is, in the browser they see it in. */
describe('the dashboard example', () => {
  let red: NodeRed;
  let browser: Browser;
  let page: Page;
  let emulator = '';
  const problems: string[] = [];

  before(async function () {
    this.timeout(60_000);
    const userDir = newUserDir(undefined, ['@flowfuse/node-red-dashboard']);
    red = await startNodeRed({ flows: FLOWS, userDir });
    browser = await launchBrowser();
    page = await browser.newPage({ viewport: { width: 1100, height: 800 } });
    page.setDefaultTimeout(15_000);
    page.on('pageerror', (error) => problems.push(error.message));
    await page.goto(`${red.url}dashboard/greenhouse`);
    const platform = id('alink-platform');
    const addresses = await fetch(`${red.url}alink-platform/${platform}/addresses`);
    emulator = ((await addresses.json()) as { http: string }).http;
  });

  after(async () => {
    await browser?.close();
    await red?.stop();
  });

  /** Waits until the platform has this value of the heater; nothing there could call back. */
  async function heaterIs(wanted: 0 | 1): Promise<void> {
    for (;;) {
      const answer = await fetch(`${emulator}/emulator/devices/a1Dashboard/greenhouse-01`);
      const { properties } = (await answer.json()) as { properties: { heater?: { value: number } } };
      if (properties.heater?.value === wanted) return;
    }
  }

  async function press(name: string): Promise<void> {
    const response = await fetch(`${red.url}inject/${id('inject', name)}`, { method: 'POST' });
    assert.equal(response.status, 200);
  }

  it('shows what the platform acknowledged on gauges and a chart', async () => {
    await page.waitForFunction(() => {
      const values = [...document.querySelectorAll('.nrdb-ui-gauge-value')].map(
        ({ textContent }) => textContent,
      );
      return values.length === 2 && values.every((text) => Number.parseFloat(text ?? '') > 0);
    });
    await page.locator('.nrdb-ui-chart canvas').waitFor();
  });

  it('has a switch that sets the device, and that follows what the cloud sets', async () => {
    const toggle = page.locator('.nrdb-ui-switch input[type=checkbox]');
    assert.equal(await toggle.isChecked(), false);
    await toggle.click({ force: true });
    await heaterIs(1);
    await press('cloud: heater off');
    await page.waitForFunction(
      () => document.querySelector<HTMLInputElement>('.nrdb-ui-switch input')?.checked === false,
    );
    await heaterIs(0);
    await press('cloud: heater on');
    await page.waitForFunction(
      () => document.querySelector<HTMLInputElement>('.nrdb-ui-switch input')?.checked === true,
    );
  });

  it('raises an alarm when it gets too hot', async () => {
    await press('make it 35 °C');
    await page.locator('text=/Overheat: 35/').first().waitFor();
    assert.deepEqual(problems, []);
  });
});

function id(type: string, name?: string): string {
  const node = FLOWS.find((one) => one.type === type && (name === undefined || one.name === name));
  if (!node) throw new Error(`the example has no ${type} ${name ?? ''}`);
  return node.id;
}
