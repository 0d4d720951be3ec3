import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'mocha';
import type { Browser } from 'playwright-core';
import { launchBrowser } from '../support/browser';

describe('the browser of the tests', () => {
  let browser: Browser;
  before(async function () {
    this.timeout(60_000);
    browser = await launchBrowser();
  });
  after(() => browser?.close());

  /** A picture of a text, to be compared with others. */
  async function picture(text: string, weight: number): Promise<string> {
    const page = await browser.newPage({ viewport: { width: 120, height: 60 } });
    const html = `<body style="font: ${weight} 40px sans-serif">${text}`;
    await page.goto(`data:text/html;charset=utf-8,${encodeURIComponent(html)}`);
    const image = await page.screenshot();
    await page.close();
    return image.toString('base64');
  }

  it('draws Chinese text, in both weights', async () => {
    const pictures: string[] = [];
    for (const text of ['设', '备', 'A', 'B'])
      pictures.push(await picture(text, 400), await picture(text, 700));
    assert.equal(new Set(pictures).size, 8);
  });

  it('lets no page read from another origin', async () => {
    const server = createServer((_request, response) => response.end('secret')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const page = await browser.newPage();
    const read = () =>
      page.evaluate(async (target) => {
        try {
          return await (await fetch(target)).text();
        } catch {
          return 'refused';
        }
      }, url);
    await page.goto(url);
    assert.equal(await read(), 'secret');
    await page.goto(url.replace('127.0.0.1', 'localhost'));
    assert.equal(await read(), 'refused');
    await page.close();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
});
