import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { get as httpGet, type IncomingHttpHeaders } from 'node:http';
import { get as httpsGet } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as models from '@alicloud/iot20180120';
import type { MqttClient } from 'mqtt';
import { type Emulator, type FaultRule, startEmulator } from '../../../emulator';
import { cloudClient } from '../../support/cloud';
import { LAMP_1, onlineLamp, PRODUCT } from '../../support/emulator';
import { addImage, IMAGE, type Offer, offers, sha256 } from '../../support/firmware';

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
  /** The connection ended before the body did. */
  broken: boolean;
}

describe('emulator: firmware files', () => {
  let emulator: Emulator;
  let lamp: MqttClient;
  let now: number;
  let next: () => Promise<Offer>;

  beforeEach(async () => {
    now = Date.UTC(2026, 0, 1);
    emulator = await startEmulator({ clock: () => now, config: { products: [PRODUCT] } });
    lamp = await onlineLamp(emulator, LAMP_1, { parameters: { _ss: 1 } });
    next = offers(lamp);
  });

  afterEach(async () => {
    await lamp.endAsync(true);
    await emulator.close();
  });

  const offered = async (): Promise<string> => {
    emulator.firmware.upgrade(await addImage(emulator), { devices: [LAMP_1] });
    return (await next()).url;
  };
  const fault = (rule: FaultRule) => emulator.faults.add({ times: 1, ...rule });
  const fetchIt = (url: string, headers: Record<string, string> = {}, method = 'GET') =>
    new Promise<Answer>((resolve, reject) => {
      const get = url.startsWith('https') ? httpsGet : httpGet;
      const options = { method, headers, agent: false, ca: emulator.ca };
      const request = get(url, options, (response) => {
        const chunks: Buffer[] = [];
        const done = (broken: boolean) =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks),
            broken,
          });
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => done(false));
        response.on('error', () => done(true));
      });
      request.on('error', reject);
    });

  it('serves the whole file, and tells what it is with HEAD', async () => {
    const url = await offered();
    const { status, headers, body } = await fetchIt(url);
    assert.deepEqual([status, body.equals(IMAGE)], [200, true]);
    assert.equal(headers['content-length'], String(IMAGE.length));
    assert.equal(headers['accept-ranges'], 'bytes');
    assert.equal(headers.etag, `"${sha256(IMAGE).toUpperCase()}"`);
    const head = await fetchIt(url, {}, 'HEAD');
    assert.deepEqual(
      [head.status, head.headers['content-length'], head.body.length],
      [200, String(IMAGE.length), 0],
    );
    assert.equal((await fetchIt(url, {}, 'DELETE')).status, 405);
    const [first] = emulator.firmware.downloads();
    assert.deepEqual(
      [first?.deviceName, first?.status, first?.offset, first?.sentBytes],
      ['lamp-1', 200, 0, IMAGE.length],
    );
  });

  for (const [range, first, last] of [
    ['bytes=0-0', 0, 1],
    ['bytes=100-', 100, IMAGE.length],
    ['bytes=100-199', 100, 200],
    ['bytes=-10', IMAGE.length - 10, IMAGE.length],
    ['bytes=0-99999999', 0, IMAGE.length],
    [`bytes=${IMAGE.length - 1}-`, IMAGE.length - 1, IMAGE.length],
  ] as const) {
    it(`serves the range ${range}`, async () => {
      const { status, headers, body } = await fetchIt(await offered(), { range });
      assert.equal(status, 206);
      assert.equal(headers['content-range'], `bytes ${first}-${last - 1}/${IMAGE.length}`);
      assert.equal(headers['content-length'], String(last - first));
      assert.ok(body.equals(IMAGE.subarray(first, last)));
    });
  }

  it('refuses ranges behind the end, and serves all for what is no range', async () => {
    const url = await offered();
    for (const range of [`bytes=${IMAGE.length}-`, 'bytes=-0', 'bytes=9999999-10000000']) {
      const { status, headers } = await fetchIt(url, { range });
      assert.deepEqual([status, headers['content-range']], [416, `bytes */${IMAGE.length}`], range);
    }
    for (const range of ['bytes=5-2', 'bytes=0-1,4-5', 'items=1-2', 'bytes=', 'bytes=-']) {
      const { status, body } = await fetchIt(url, { range });
      assert.deepEqual([status, body.length], [200, IMAGE.length], range);
    }
  });

  it('serves a range only of the file that the client knows', async () => {
    const url = await offered();
    const { headers } = await fetchIt(url, {}, 'HEAD');
    const ifRange = (tag: string) => fetchIt(url, { range: 'bytes=10-', 'if-range': tag });
    assert.equal((await ifRange(headers.etag ?? '')).status, 206);
    assert.equal((await ifRange('"another"')).status, 200);
  });

  it('refuses addresses that are altered, made up or expired', async () => {
    const url = await offered();
    const altered = [
      url.replace('lamp-1', 'lamp-2'),
      url.replace(/Expires=(\d+)/, (_, time) => `Expires=${Number(time) + 1000}`),
      url.replace(/Signature=..../, 'Signature=AAAA'),
      url.replace(/\?.*/, ''),
      `${url.replace(/\/oss\/.*/, '')}/oss/%ZZ/../x`,
      `${url.replace(/\/oss\/.*/, '')}/oss/`,
    ];
    for (const address of altered) {
      const { status, body } = await fetchIt(address);
      assert.equal(status, 403, address);
      assert.match(body.toString(), /<Code>SignatureDoesNotMatch<\/Code>/);
    }
    const refusals = emulator.exchanges.list(({ kind, code }) => kind === 'http' && code === 403);
    assert.equal(refusals.length, altered.length);
    assert.ok(refusals.every(({ note }) => note === 'SignatureDoesNotMatch'));
    // What is not signed may be added, as on object storage.
    assert.equal((await fetchIt(`${url}&x=1`)).status, 200);
    now += 24 * 3_600_000 - 1000;
    assert.equal((await fetchIt(url)).status, 200);
    now += 1000;
    const { status, body } = await fetchIt(url);
    assert.equal(status, 403);
    assert.match(body.toString(), /<Code>AccessDenied<\/Code><Message>Request has expired/);
  });

  it('breaks off when a file on disk is gone or became shorter', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'alink-firmware-'));
    const path = join(folder, 'image.bin');
    await writeFile(path, IMAGE);
    const { firmwareId } = await emulator.firmware.add({
      productKey: PRODUCT.productKey,
      version: '7.0.0',
      files: { path },
    });
    const address = async () => {
      const info = await cloudClient(emulator).queryOTAFirmware(
        new models.QueryOTAFirmwareRequest({ firmwareId }),
      );
      return info.body?.firmwareInfo?.firmwareUrl ?? '';
    };
    assert.equal((await fetchIt(await address())).body.length, IMAGE.length);
    await writeFile(path, IMAGE.subarray(0, 1000));
    await assert.rejects(async () => (await fetch(await address())).arrayBuffer());
    await rm(folder, { recursive: true });
    await assert.rejects(async () => (await fetch(await address())).arrayBuffer());
  });

  it('tells no signature in its log', async () => {
    const url = await offered();
    await fetchIt(url);
    const signature = new URL(url).searchParams.get('Signature') ?? '';
    const log = emulator.exchanges.list().join('\n');
    assert.ok(log.includes('/oss/'), 'the path is told');
    for (const text of [signature, encodeURIComponent(signature)]) assert.ok(!log.includes(text));
  });

  describe('with faults', () => {
    it('cuts once at a byte, and lets the rest be fetched', async () => {
      const url = await offered();
      emulator.faults.add({ action: 'cutAt', offset: 1000 });
      const first = await fetchIt(url);
      assert.deepEqual([first.status, first.broken], [200, true]);
      assert.ok(first.body.equals(IMAGE.subarray(0, 1000)));
      const rest = await fetchIt(url, { range: 'bytes=1000-' });
      assert.deepEqual([rest.status, rest.broken], [206, false]);
      assert.ok(rest.body.equals(IMAGE.subarray(1000)));
      const sent = emulator.firmware.downloads().map(({ offset, sentBytes }) => [offset, sentBytes]);
      assert.deepEqual(sent, [
        [0, 1000],
        [1000, IMAGE.length - 1000],
      ]);
    });

    it('tells a wrong digest', async () => {
      fault({ action: 'wrongDigest' });
      emulator.firmware.upgrade(await addImage(emulator));
      const { sign } = await next();
      assert.notEqual(sign, sha256(IMAGE));
      assert.match(sign, /^[0-9a-f]{64}$/);
      emulator.firmware.push(LAMP_1);
      assert.equal((await next()).sign, sha256(IMAGE));
    });

    it('tells a wrong size', async () => {
      fault({ action: 'wrongSize' });
      emulator.firmware.upgrade(await addImage(emulator));
      assert.equal((await next()).size, IMAGE.length + 1);
    });

    it('calls an address expired or altered', async () => {
      const url = await offered();
      fault({ action: 'urlExpired' });
      fault({ action: 'urlAltered' });
      const [first, second, third] = [await fetchIt(url), await fetchIt(url), await fetchIt(url)];
      assert.deepEqual([first.status, second.status, third.status], [403, 403, 200]);
      assert.match(first.body.toString(), /expired/);
      assert.match(second.body.toString(), /SignatureDoesNotMatch/);
    });

    it('answers with a status', async () => {
      const url = await offered();
      fault({ action: 'status', status: 503 });
      assert.equal((await fetchIt(url)).status, 503);
      assert.equal((await fetchIt(url)).status, 200);
    });

    it('serves the whole file although a part was asked for', async () => {
      const url = await offered();
      fault({ action: 'ignoreRange' });
      const { status, body, headers } = await fetchIt(url, { range: 'bytes=1000-' });
      assert.deepEqual([status, body.length, headers['content-range']], [200, IMAGE.length, undefined]);
      assert.equal((await fetchIt(url, { range: 'bytes=1000-' })).status, 206);
    });

    it('redirects, to the file or elsewhere', async () => {
      const url = await offered();
      fault({ action: 'redirect' });
      const { status, headers } = await fetchIt(url);
      assert.equal(status, 302);
      const { body } = await fetchIt(new URL(headers.location ?? '', url).href);
      assert.ok(body.equals(IMAGE));
      fault({ action: 'redirect', to: 'https://elsewhere.example/x' });
      assert.equal((await fetchIt(url)).headers.location, 'https://elsewhere.example/x');
    });

    it('spoils a byte', async () => {
      const url = await offered();
      fault({ action: 'corrupt', offset: 299_999 });
      const { body } = await fetchIt(url);
      assert.ok(body.subarray(0, 299_999).equals(IMAGE.subarray(0, 299_999)));
      assert.notEqual(body[299_999], IMAGE[299_999]);
      // Only when the byte is asked for.
      fault({ action: 'corrupt', offset: 10 });
      assert.ok((await fetchIt(url, { range: 'bytes=20-' })).body.equals(IMAGE.subarray(20)));
    });

    it('drips', async () => {
      const url = await offered();
      fault({ action: 'slow', bytesPerSecond: 1_000_000 });
      const started = performance.now();
      const { body } = await fetchIt(url);
      assert.ok(body.equals(IMAGE));
      assert.ok(performance.now() - started >= 190, 'it takes 0.3 s at this rate');
    });

    it('stops to drip when nobody listens', async () => {
      const url = await offered();
      fault({ action: 'slow', bytesPerSecond: 10 });
      await new Promise<void>((resolve) => {
        const request = httpGet(url, { agent: false }, (response) => {
          response.on('error', () => undefined);
          response.once('data', () => {
            request.destroy();
            resolve();
          });
        });
      });
      const { note } = await emulator.exchanges.waitFor(({ kind, code }) => kind === 'http' && code === 200);
      assert.match(note ?? '', /broke off/);
    });

    it('strikes only what it is for', async () => {
      const url = await offered();
      emulator.faults.add({ action: 'urlExpired', match: { deviceName: 'lamp-2' } });
      emulator.faults.add({ action: 'urlExpired', match: { operation: 'thing.config.push' } });
      emulator.faults.add({ action: 'urlExpired', match: { topic: '/oss/+/+/none/#' } });
      assert.equal((await fetchIt(url)).status, 200);
      emulator.faults.add({ action: 'urlExpired', match: { topic: '/oss/+/lamp-1/#' } });
      assert.equal((await fetchIt(url)).status, 403);
    });

    it('pushes twice', async () => {
      emulator.faults.add({
        action: 'duplicate',
        match: { direction: 'down', operation: 'ota.upgrade' },
        times: 1,
      });
      emulator.firmware.upgrade(await addImage(emulator));
      const [first, second] = [await next(), await next()];
      assert.deepEqual(first, second);
    });

    it('takes rules over HTTP, and refuses wrong ones', async () => {
      const post = (rule: object) =>
        fetch(`${emulator.httpUrl}/emulator/faults`, { method: 'POST', body: JSON.stringify(rule) });
      for (const rule of [
        { action: 'cutAt', offset: 5 },
        { action: 'corrupt', offset: 0 },
        { action: 'slow', bytesPerSecond: 100 },
        { action: 'redirect', to: 'http://127.0.0.1/' },
        { action: 'redirect' },
        { action: 'status', status: 500 },
        ...['wrongDigest', 'wrongSize', 'urlExpired', 'urlAltered', 'ignoreRange', 'wrongCrc'].map(
          (action) => ({ action }),
        ),
      ]) {
        assert.equal((await post(rule)).status, 201, JSON.stringify(rule));
      }
      assert.deepEqual(emulator.faults.list()[0], { action: 'cutAt', offset: 5, id: 1, left: null });
      for (const rule of [
        { action: 'cutAt' },
        { action: 'cutAt', offset: -1 },
        { action: 'slow', bytesPerSecond: 0 },
        { action: 'redirect', to: 'nowhere' },
        { action: 'status', status: 200 },
        { action: 'burn' },
      ]) {
        assert.equal((await post(rule)).status, 400, JSON.stringify(rule));
      }
    });
  });

  it('serves over TLS when that door is open', async () => {
    await lamp.endAsync(true);
    await emulator.close();
    emulator = await startEmulator({
      doors: { mqtt: 0, https: 0 },
      config: { products: [PRODUCT] },
    });
    lamp = await onlineLamp(emulator, LAMP_1, { parameters: { _ss: 1 } });
    next = offers(lamp);
    const url = await offered();
    assert.ok(url.startsWith('https://127.0.0.1:'));
    assert.ok((await fetchIt(url)).body.equals(IMAGE));
  });

  it('serves at the address that the device itself came to', async () => {
    await lamp.endAsync(true);
    await emulator.close();
    emulator = await startEmulator({ host: '0.0.0.0', config: { products: [PRODUCT] } });
    Object.assign(emulator.addresses, { mqtt: `mqtt://127.0.0.1:${emulator.ports.mqtt}` });
    lamp = await onlineLamp(emulator, LAMP_1, { parameters: { _ss: 1 } });
    next = offers(lamp);
    const url = await offered();
    assert.equal(new URL(url).hostname, '127.0.0.1');
    assert.ok((await fetchIt(url)).body.equals(IMAGE));
  });

  it('serves a gigabyte without holding it', async function () {
    this.timeout(120_000);
    const size = 1024 ** 3;
    const { firmwareId } = await emulator.firmware.add({
      productKey: PRODUCT.productKey,
      version: '9.0.0',
      files: { size, seed: 7 },
      signMethod: 'SHA256',
    });
    emulator.firmware.upgrade(firmwareId);
    const { url, size: told } = await next();
    assert.equal(told, size);
    const before = process.memoryUsage().rss;
    let most = before;
    let received = 0;
    await new Promise<void>((resolve, reject) => {
      httpGet(url, (response) => {
        response.on('data', (chunk: Buffer) => {
          received += chunk.length;
          most = Math.max(most, process.memoryUsage().rss);
        });
        response.on('end', resolve);
        response.on('error', reject);
      });
    });
    assert.equal(received, size);
    // Client and server are one process, which collects what it has read when it likes; holding the file would take all of it.
    assert.ok(most - before < size / 4, `it took ${most - before} bytes more`);
    // The same bytes wherever one begins.
    const part = (range: string) => fetchIt(url, { range }).then(({ body }) => body);
    const [whole, tail] = [await part('bytes=131000-131200'), await part('bytes=131080-131200')];
    assert.ok(whole.subarray(80).equals(tail));
    assert.notDeepEqual(await part('bytes=0-63'), await part('bytes=65536-65599'));
  });
});
