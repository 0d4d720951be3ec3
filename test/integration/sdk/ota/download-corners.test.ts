import assert from 'node:assert/strict';
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { afterEach, before, beforeEach, describe, it } from 'mocha';
import { certificate, type TestCertificate } from '../../../support/certificates';
import { DownloadBench } from '../../../support/download-bench';
import { status } from '../../../support/firmware-server';
import { assertSaid } from '../../../support/said';
import { rejection } from '../../../support/sdk-device';

const SIZE = 200_000;

describe('download of firmware in a corner', () => {
  let tls: TestCertificate;
  let bench: DownloadBench;

  before(async () => {
    tls = await certificate();
  });
  beforeEach(async () => {
    bench = await DownloadBench.start(SIZE, tls);
  });
  afterEach(() => bench.stop());

  /** The folder of the module that was loaded last. */
  const moduleFolder = () => {
    const [thing = ''] = readdirSync(bench.folder);
    return join(bench.folder, thing, 'default');
  };

  it('a connection that ends and the next one do not write into the same file', async () => {
    const own = bench.downloads();
    let ended = false;
    bench.server.script.push((_, response) => {
      response.writeHead(200, { 'content-length': SIZE });
      response.write(bench.server.content.subarray(0, 50_000));
    });
    const first = rejection(
      bench.run(
        undefined,
        {
          onProgress: ({ doneBytes }) => {
            if (doneBytes < 50_000 || ended) return;
            ended = true;
            own.close();
          },
        },
        own,
      ),
    ).then(({ key }) => key);
    while (!ended) await new Promise((resolve) => setImmediate(resolve));
    const { files } = await bench.run();
    assert.equal(await first, 'closed');
    assert.deepEqual(bench.starts(), [0, 50_000]);
    assert.deepEqual(readFileSync(files[0]?.path ?? ''), bench.server.content);
  });

  it('two who load the same file into the same folder load it once', async () => {
    const [a, b] = await Promise.all([bench.run(), bench.run()]);
    assert.deepEqual(a.files, b.files);
    assert.deepEqual(bench.starts(), [0]);
  });

  it('two who load it into folders of their own both get it', async () => {
    const own = bench.downloads();
    const other = join(bench.folder, 'other');
    const [a, b] = await Promise.all([
      bench.run(undefined, {}, own),
      bench.run(undefined, { folder: other }, own),
    ]);
    assert.notEqual(a.files[0]?.path, b.files[0]?.path);
    for (const { files } of [a, b])
      assert.deepEqual(readFileSync(files[0]?.path ?? ''), bench.server.content);
  });

  it('four at a time, whatever is offered', async () => {
    const waiting: ServerResponse[] = [];
    let arrived: () => void = () => undefined;
    bench.server.usual = (_, response) => {
      waiting.push(response);
      arrived();
    };
    const all = ['1', '2', '3', '4', '5', '6'].map((name) =>
      bench.run(bench.server.offer({ module: `m${name}` })),
    );
    const came = (count: number) =>
      new Promise<void>((resolve) => {
        arrived = () => {
          if (waiting.length >= count) resolve();
        };
        arrived();
      });
    await came(4);
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(waiting.length, 4);
    for (let at = 0; at < 6; at++) {
      await came(at + 1);
      waiting[at]?.writeHead(200, { 'content-length': SIZE }).end(bench.server.content);
    }
    await Promise.all(all);
  });

  it('the version that runs stays for the way back, before a newer one that failed', async () => {
    await bench.run(bench.server.offer({ version: '1' }));
    await bench.run(bench.server.offer({ version: '2' }));
    const own = bench.downloads({ running: () => '1' });
    await bench.run(bench.server.offer({ version: '3' }), { keepVersions: 1 }, own);
    assert.deepEqual(readdirSync(moduleFolder()).sort(), ['1', '3']);
  });

  it('an address that lives shortly is asked for as often as something came by the last', async () => {
    let renewals = 0;
    for (let i = 0; i < 9; i++) bench.server.script.push(bench.server.cut(20_000), status(403));
    const { files } = await bench.run(undefined, {
      renew: async () => {
        renewals++;
        return bench.server.offer();
      },
    });
    assert.deepEqual(readFileSync(files[0]?.path ?? ''), bench.server.content);
    assert.equal(renewals, 9);
  });

  it('an answer in another protocol is a failure that passes', async () => {
    bench.server.script.push((_, response) => {
      response.socket?.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
    });
    // Far longer than this test: the end of the connection has to be noticed by itself.
    await bench.run(undefined, {}, bench.downloads({}, 600_000));
    assert.deepEqual(bench.starts(), [0, 0]);
  });

  it('a file that changed on the server between two parts is loaded anew', async () => {
    bench.server.script.push(
      (asked, response) => {
        const other = Buffer.alloc(SIZE, 7);
        response.writeHead(200, { 'content-length': SIZE, etag: '"old"' });
        response.write(other.subarray(0, 90_000), () => response.destroy());
        asked.sent = 90_000;
      },
      (asked, response) => {
        response.setHeader('etag', '"new"');
        bench.server.serve(asked, response);
      },
    );
    const { files } = await bench.run();
    assert.deepEqual(bench.starts(), [0, 90_000, 0]);
    assert.deepEqual(readFileSync(files[0]?.path ?? ''), bench.server.content);
  });

  it('what the flow took away is loaded again', async () => {
    const { files } = await bench.run();
    renameSync(files[0]?.path ?? '', join(bench.folder, 'taken'));
    await bench.run();
    assert.deepEqual(bench.starts(), [0, 0]);
  });

  it('room is needed for what the flow took away too', async () => {
    const { files } = await bench.run();
    rmSync(files[0]?.path ?? '');
    const error = await bench.failing(undefined, { keepFreeBytes: 2 ** 52 });
    assert.equal(error.details.value, SIZE);
    assertSaid(error);
  });

  it('a damaged memory of the download costs what was there, nothing else', async () => {
    for (const text of ['', '{', '[]', '{"format":1,"version":"1.0.1","files":[{"flushed":1e99}]}']) {
      bench.server.asked.length = 0;
      bench.server.script.push(bench.server.cut(90_000), status(418));
      const offer = bench.server.offer({ version: `v${text.length}` });
      await bench.failing(offer);
      writeFileSync(join(moduleFolder(), offer.version, '.firmware.json'), text);
      const { files } = await bench.run(offer);
      assert.deepEqual(bench.starts(), [0, 90_000, 0]);
      assert.deepEqual(readFileSync(files[0]?.path ?? ''), bench.server.content);
    }
  });

  it('a folder that is none is named as what it is', async () => {
    const file = join(bench.folder, 'file');
    writeFileSync(file, '');
    const error = await bench.failing(undefined, { folder: join(file, 'below') });
    const { step, rule, code, path } = error.details;
    assert.deepEqual([error.key, step, rule, code], ['firmwareStorage', -2, 'storageAt', 'ENOTDIR']);
    assert.ok(String(path).startsWith(file));
    // The platform is told this.
    assert.ok(!error.message.includes(file));
    assert.deepEqual(bench.starts(), []);
  });
});
