import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterEach, before, beforeEach, describe, it } from 'mocha';
import { AlinkError, type DownloadOptions } from '../../../../sdk';
import { certificate, type TestCertificate } from '../../../support/certificates';
import { DownloadBench } from '../../../support/download-bench';
import { type Answerer, FirmwareServer, status } from '../../../support/firmware-server';
import { assertSaid } from '../../../support/said';
import { rejection } from '../../../support/sdk-device';

const SIZE = 300_000;

describe('download of firmware', () => {
  let tls: TestCertificate;
  let bench: DownloadBench;
  let server: FirmwareServer;
  let folder: string;

  before(async () => {
    tls = await certificate({ names: ['localhost', 'files.test'], addresses: ['127.0.0.1'] });
  });

  beforeEach(async () => {
    bench = await DownloadBench.start(SIZE, tls);
    ({ server, folder } = bench);
  });

  afterEach(() => bench.stop());

  const downloads: DownloadBench['downloads'] = (...given) => bench.downloads(...given);
  const run: DownloadBench['run'] = (...given) => bench.run(...given);
  const failing: DownloadBench['failing'] = (...given) => bench.failing(...given);
  const starts = () => bench.starts();
  const everything = () => bench.everything();

  it('puts the file into a folder of thing, module and version, and tells how far it is', async () => {
    const told: number[] = [];
    const { files } = await run(server.offer(), { onProgress: ({ percent }) => told.push(percent) });
    const [file] = files;
    assert.ok(file);
    assert.deepEqual(readFileSync(file.path), server.content);
    assert.match(file.path, /a1Test\+lamp-1~[0-9a-f]{12}.default.1\.0\.1.firmware\.bin$/);
    assert.deepEqual([told.at(0), told.at(-1)], [0, 100]);
    assert.deepEqual(
      told,
      [...told].sort((a, b) => a - b),
    );
    assert.equal(server.asked[0]?.path, '/firmware.bin?Signature=TOP%2fSECRET');
  });

  it('does not load again what is there and right', async () => {
    await run();
    const { files } = await run();
    assert.equal(server.asked.length, 1);
    writeFileSync(files[0]?.path ?? '', 'not the firmware');
    await run();
    assert.equal(server.asked.length, 2);
    assert.deepEqual(readFileSync(files[0]?.path ?? ''), server.content);
  });

  it('goes on where the connection was cut, as often as it takes', async () => {
    for (let i = 0; i < 12; i++) server.script.push(server.cut(20_000));
    const { files } = await run(server.offer(), { retries: 2 });
    assert.deepEqual(readFileSync(files[0]?.path ?? ''), server.content);
    assert.deepEqual(
      starts(),
      Array.from({ length: 13 }, (_, i) => i * 20_000),
    );
  });

  const faults: Array<[string, (own: FirmwareServer) => Answerer, number[]]> = [
    [
      '200 in place of 206: from the start',
      (own) => (asked, response) => own.serve({ ...asked, from: 0 }, response),
      [0, 100_000],
    ],
    ['416: from the start', () => status(416), [0, 100_000, 0]],
    ['503', () => status(503), [0, 100_000, 100_000]],
    [
      'another part than asked for',
      () => (_, response) =>
        response.writeHead(206, { 'content-range': `bytes 7-${SIZE - 1}/${SIZE}` }).end('x'),
      [0, 100_000, 0],
    ],
    [
      '206 that does not tell which part',
      () => (_, response) => response.writeHead(206).end('x'),
      [0, 100_000, 0],
    ],
    [
      'a file of another length: from the start',
      () => (_, response) =>
        response.writeHead(206, { 'content-range': 'bytes 100000-100009/100010' }).end('x'),
      [0, 100_000, 0],
    ],
    [
      'a packed file: from the start',
      () => (_, response) =>
        response
          .writeHead(206, { 'content-encoding': 'gzip', 'content-range': `bytes 100000-${SIZE - 1}/${SIZE}` })
          .end('x'),
      [0, 100_000, 0],
    ],
    [
      'more bytes than there are: from the start',
      (own) => (_, response) =>
        response
          .writeHead(206, {
            'content-range': `bytes 100000-${SIZE - 1}/${SIZE}`,
            'transfer-encoding': 'chunked',
          })
          .end(Buffer.concat([own.content.subarray(100_000), Buffer.from('more')])),
      [0, 100_000, 0],
    ],
    [
      'other bytes: from the start',
      () => (_, response) =>
        response
          .writeHead(206, { 'content-range': `bytes 100000-${SIZE - 1}/${SIZE}` })
          .end(Buffer.alloc(SIZE - 100_000)),
      [0, 100_000, 0],
    ],
    ['no answer', () => () => undefined, [0, 100_000, 100_000]],
    [
      'an end that comes too early',
      (own) => (_, response) =>
        response
          .writeHead(206, {
            'content-range': `bytes 100000-${SIZE - 1}/${SIZE}`,
            'transfer-encoding': 'chunked',
          })
          .end(own.content.subarray(100_000, 150_000)),
      [0, 100_000, 150_000],
    ],
    [
      'a stall',
      (own) => (_, response) => {
        response.writeHead(206, { 'content-range': `bytes 100000-${SIZE - 1}/${SIZE}` });
        response.write(own.content.subarray(100_000, 150_000));
      },
      [0, 100_000, 150_000],
    ],
  ];
  for (const [name, fault, expected] of faults) {
    it(`survives ${name}`, async () => {
      server.script.push(server.cut(100_000), fault(server));
      const { files } = await run(server.offer(), {}, downloads({}, 400));
      assert.deepEqual(readFileSync(files[0]?.path ?? ''), server.content);
      assert.deepEqual(starts(), expected);
    });
  }

  it('waits for a file that drips', async () => {
    server.usual = (_, response) => {
      response.writeHead(200, { 'content-length': SIZE });
      let at = 0;
      const drip = setInterval(() => {
        response.write(server.content.subarray(at, at + SIZE / 6));
        at += SIZE / 6;
        if (at >= SIZE) clearInterval(drip);
      }, 60);
    };
    await run();
    assert.deepEqual(starts(), [0]);
  });

  it('says why a server is not reached, and that it waits, in words that other languages have', async () => {
    const refused = server.offer({}, { url: 'https://127.0.0.1:1/firmware.bin?Signature=SECRET' });
    for (const [offer, own] of [
      [refused, downloads()],
      [server.offer(), downloads({ ca: undefined })],
    ] as const) {
      const waits: AlinkError[] = [];
      const error = await failing(offer, { retries: 2, onRetry: (why) => waits.push(why) }, own);
      assert.equal(error.key, 'downloadFailed');
      assert.ok(waits.length > 0);
      for (const why of [...waits, error]) assertSaid(why);
    }
  });

  it('gives up after so many tries that bring nothing, keeps what is there, and goes on from it later', async () => {
    server.script.push(server.cut(50_000));
    server.usual = status(500);
    const error = await failing(server.offer(), { retries: 3 });
    assert.deepEqual([error.key, error.details.step, error.retry], ['downloadFailed', -2, 'slow']);
    assert.deepEqual(starts(), [0, 50_000, 50_000, 50_000]);
    server.usual = (asked, response) => server.serve(asked, response);
    await run();
    assert.equal(starts().at(-1), 50_000);
  });

  for (const file of [
    { digest: { method: 'sha256', value: '0'.repeat(64) } as const },
    { size: SIZE - 1 },
    { size: SIZE + 1 },
  ]) {
    it(`fails the check of ${JSON.stringify(file).slice(0, 40)}, once more from the start, then for good`, async () => {
      const error = await failing(server.offer({}, file));
      assert.deepEqual([error.key, error.details.step], ['firmwareMismatch', -3]);
      assert.deepEqual(starts(), [0, 0]);
      assert.deepEqual(
        everything().filter((name) => !name.endsWith('.firmware.json')),
        [],
      );
    });
  }

  it('asks for a new address when the old one has expired, and goes on from where it was', async () => {
    server.script.push(server.cut(100_000), status(403));
    let asked = 0;
    const renew = async () => {
      asked++;
      return server.offer({}, { url: server.url('/new') });
    };
    await run(server.offer(), { renew });
    assert.deepEqual(
      server.asked.map(({ path, from }) => [path.split('?')[0], from]),
      [
        ['/firmware.bin', 0],
        ['/firmware.bin', 100_000],
        ['/new', 100_000],
      ],
    );
    assert.equal(asked, 1);
  });

  it('asks for a new address before it begins when the offer is older than a day', async () => {
    const ask = async () => server.offer({}, { url: server.url('/new') });
    await run(server.offer({ receivedAt: Date.now() - 25 * 3600_000 }), {}, downloads({ ask }));
    assert.deepEqual(
      server.asked.map(({ path }) => path.split('?')[0]),
      ['/new'],
    );
  });

  it('asks again for a new address while the platform cannot be asked', async () => {
    server.usual = (asked, response, request) =>
      asked.path.startsWith('/new') ? server.serve(asked, response) : status(403)(asked, response, request);
    let tries = 0;
    const renew = async () => {
      if (++tries < 3) throw new AlinkError('waitingTimeout', 'offline', { retry: 'slow' });
      return server.offer({}, { url: server.url('/new') });
    };
    await run(server.offer(), { renew });
    assert.equal(tries, 3);
  });

  it('fails when there is no new address, and when another version is offered in the meantime', async () => {
    server.usual = status(403);
    const error = await failing();
    assert.deepEqual([error.key, error.details.step], ['downloadExpired', -2]);
    const other = await failing(server.offer(), { renew: async () => server.offer({ version: '1.0.2' }) });
    assert.deepEqual([other.key, other.details.step], ['firmwareReplaced', undefined]);
    server.asked.length = 0;
    await failing(server.offer(), { renew: async () => server.offer() });
    assert.ok(server.asked.length <= 6, `${server.asked.length} times`);
  });

  it('follows redirects a few times, each to an allowed host over https only', async () => {
    const plain = await FirmwareServer.start(server.content);
    try {
      server.script.push(status(302, { location: '/next' }), status(307, { location: server.url('/last') }));
      await run(server.offer(), { hosts: ['127.0.0.1'] });
      assert.deepEqual(
        server.asked.map(({ path }) => path.split('?')[0]),
        ['/firmware.bin', '/next', '/last'],
      );
      for (const [location, hosts] of [
        [plain.url(), ['*']],
        [server.url('/x', 'localhost'), ['127.0.0.1', '*.localhost']],
      ] as const) {
        server.script.push(status(301, { location }));
        const error = await failing(server.offer({ version: '2' }), hosts[0] === '*' ? {} : { hosts });
        assert.deepEqual([error.key, error.details.step], ['firmwareNotAllowed', -2]);
      }
      server.usual = status(302, { location: '/again' });
      const error = await failing(server.offer({ version: '3' }));
      assert.match(error.message, /more than 5 times/);
      assert.equal(plain.asked.length, 0);
    } finally {
      await plain.stop();
    }
  });

  it('asks nothing of a host that is not allowed, over http, of an offer that is too large, or without room', async () => {
    const cases: Array<[Partial<DownloadOptions>, Parameters<FirmwareServer['offer']>[1], string]> = [
      [{ hosts: ['*.example.com', '27.0.0.1'] }, {}, 'firmwareNotAllowed'],
      [{}, { url: server.url().replace('https', 'http') }, 'firmwareNotAllowed'],
      [{ mostBytes: SIZE - 1 }, {}, 'firmwareTooLarge'],
      [{ keepFreeBytes: 2 ** 52 }, {}, 'diskFull'],
    ];
    for (const [options, file, key] of cases) {
      const error = await failing(server.offer({}, file), options);
      assert.deepEqual([error.key, error.details.step], [key, -2]);
    }
    assert.equal(server.asked.length, 0);
  });

  it('trusts nobody without the root certificate', async () => {
    const error = await failing(server.offer(), { retries: 1 }, downloads({ ca: undefined }));
    assert.deepEqual([error.key, error.details.step], ['downloadFailed', -2]);
    assert.match(error.message, /secure connection/);
    assert.equal(server.asked.length, 0);
  });

  it('joins the same offer, and ends when the last one gives up', async () => {
    const own = downloads({}, 60_000);
    const first = new AbortController();
    server.script.push((asked, response) => {
      server.serve({ ...asked }, response);
    });
    const [a, b] = await Promise.all([run(server.offer(), {}, own), run(server.offer(), {}, own)]);
    assert.equal(a, b);
    assert.equal(server.asked.length, 1);
    const gone = new Promise<void>((resolve) => {
      server.usual = (_, response) => {
        response.writeHead(200, { 'content-length': SIZE });
        response.write(server.content.subarray(0, 1000));
        response.on('close', resolve);
        first.abort();
      };
    });
    const error = await failing(server.offer({ version: '2' }), { signal: first.signal }, own);
    assert.equal(error.key, 'aborted');
    await gone;
  });

  it('is replaced by another version of the module, not by that of another one', async () => {
    const own = downloads({}, 60_000);
    const started = new Promise<void>((resolve) => {
      server.script.push((_, response) => {
        response.writeHead(200, { 'content-length': SIZE });
        response.write(server.content.subarray(0, 1000));
        resolve();
      });
    });
    const first = rejection(run(server.offer(), {}, own));
    await started;
    await run(server.offer({ module: 'MCU', version: '9' }), {}, own);
    const second = run(server.offer({ version: '2' }), {}, own);
    assert.equal((await first).key, 'firmwareReplaced');
    await second;
    // What was left of the first is gone with it.
    assert.ok(!everything().some((name) => name.includes('1.0.1')));
  });

  it('loads several files, and tells progress of all together', async () => {
    const one = server.offer().files[0];
    assert.ok(one);
    const percents = new Set<number>();
    const offer = server.offer({
      files: [
        { ...one, name: 'a' },
        { ...one, name: 'b' },
      ],
    });
    const { files } = await run(offer, { onProgress: ({ percent }) => percents.add(percent) });
    assert.deepEqual(
      files.map(({ name }) => name),
      ['a', 'b'],
    );
    for (const { path } of files) assert.deepEqual(readFileSync(path), server.content);
    assert.ok(percents.has(50) && Math.max(...percents) === 100);
  });

  it('keeps the newest finished versions, removes what others left, and touches nothing of anybody else', async () => {
    for (const version of ['1', '2', '3']) await run(server.offer({ version }), { keepVersions: 1 });
    const [module] = readdirSync(folder).map((thing) => join(folder, thing, 'default'));
    assert.ok(module);
    mkdirSync(join(module, 'mine'));
    writeFileSync(join(module, 'mine', 'notes.txt'), 'mine');
    server.usual = status(418);
    await failing(server.offer({ version: '4' }));
    server.usual = (asked, response) => server.serve(asked, response);
    await run(server.offer({ version: '5' }));
    assert.deepEqual(readdirSync(module).sort(), ['3', '5', 'mine']);
  });

  it('goes through the proxy of the environment, and says no secret to it', async () => {
    const seen: string[] = [];
    const proxy = createServer();
    proxy.on('connect', (request, socket) => {
      seen.push(`${request.url} ${request.headers['proxy-authorization']}`);
      const there = connect(server.port, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        there.pipe(socket).pipe(there);
      });
      there.on('error', () => socket.destroy());
      socket.on('error', () => there.destroy());
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const { port } = proxy.address() as { port: number };
    const before = { ...process.env };
    try {
      process.env.https_proxy = `http://user:p%40ss@127.0.0.1:${port}`;
      process.env.no_proxy = '';
      process.env.NO_PROXY = '';
      await run(server.offer({}, { url: server.url('/firmware.bin', 'files.test') }));
      const authorization = `Basic ${Buffer.from('user:p@ss').toString('base64')}`;
      assert.deepEqual(seen, [`files.test:${server.port} ${authorization}`]);
      // Nothing on this machine is behind it.
      await run(server.offer({ version: '2' }));
      assert.equal(seen.length, 1);
    } finally {
      process.env = before;
      proxy.closeAllConnections();
      proxy.close();
    }
  });
});
