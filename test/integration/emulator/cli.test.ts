import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { connect } from 'mqtt';
import { deviceConnect } from '../../../protocol';
import { hmac } from '../../../protocol/hmac';
import { connack, LAMP_1, PRODUCT } from '../../support/emulator';

const CLI = resolve(__dirname, '../../../emulator/cli.ts');

interface Run {
  child: ChildProcess;
  firstLine: Promise<string>;
  ended: Promise<{ code: number | null; out: string; err: string }>;
}

function run(...options: string[]): Run {
  const child = spawn(process.execPath, ['--import', 'tsx', CLI, ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stderr?.on('data', (chunk) => {
    err += chunk;
  });
  const firstLine = new Promise<string>((done, failed) => {
    child.stdout?.on('data', (chunk) => {
      out += chunk;
      if (out.includes('\n')) done(out.slice(0, out.indexOf('\n')));
    });
    child.once('close', () => failed(new Error(err)));
  });
  firstLine.catch(() => undefined);
  const ended = new Promise<{ code: number | null; out: string; err: string }>((done) =>
    child.once('close', (code) => done({ code, out, err })),
  );
  return { child, firstLine, ended };
}

describe('alink-emulator', function () {
  this.timeout(20_000);
  let dir = '';

  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'alink-emulator-'));
  });

  after(() => rmSync(dir, { recursive: true, force: true }));

  it('tells its addresses in one line, serves, and ends on SIGTERM', async () => {
    const config = join(dir, 'config.json');
    const snapshot = join(dir, 'snapshot.json');
    const ca = join(dir, 'ca.pem');
    writeFileSync(config, JSON.stringify({ accessKeys: [{ id: 'a', secret: 'b' }], products: [PRODUCT] }));
    const ports = ['mqtt', 'mqtts', 'ws', 'wss', 'http', 'https'].flatMap((door) => [`--${door}-port`, '0']);
    const { child, firstLine, ended } = run(
      '--config',
      config,
      '--host',
      '127.0.0.1',
      ...ports,
      '--snapshot',
      snapshot,
      '--ca-out',
      ca,
    );
    const addresses = JSON.parse(await firstLine) as Record<string, string>;
    assert.deepEqual(Object.keys(addresses), ['mqtt', 'mqtts', 'ws', 'wss', 'http', 'https']);
    assert.match(addresses.mqtt ?? '', /^mqtt:\/\/127\.0\.0\.1:\d+$/);
    const fields = deviceConnect(hmac, {
      ...LAMP_1,
      deviceSecret: 'secret-of-lamp-1',
      signMethod: 'hmacsha256',
      secure: true,
    });
    const client = connect(addresses.mqtts ?? '', { ...fields, reconnectPeriod: 0, ca: readFileSync(ca) });
    assert.equal(await connack(client), 0);
    assert.equal((await fetch(`${addresses.http}/emulator/devices`)).status, 200);
    child.kill('SIGTERM');
    const { code, out, err } = await ended;
    assert.equal(code, 0);
    assert.equal(out.trim().split('\n').length, 1, 'nothing else on standard output');
    assert.doesNotMatch(err, /secret-of/);
    assert.equal(statSync(snapshot).mode & 0o777, 0o600);
    await client.endAsync(true);
  });

  it('keeps what it learned over a restart', async () => {
    const snapshot = join(dir, 'kept.json');
    const first = run('--snapshot', snapshot, '--auto-provision', '--quiet');
    const { http } = JSON.parse(await first.firstLine) as { http: string };
    const register = (base: string) =>
      fetch(`${base}/auth/register/device`, {
        method: 'POST',
        body: new URLSearchParams({ productKey: 'kept', deviceName: 'guest', random: '1', sign: 'ff' }),
      }).then((response) => response.json() as Promise<{ data: { deviceSecret: string } }>);
    const { data } = await register(http);
    first.child.kill('SIGTERM');
    assert.equal((await first.ended).code, 0);
    const second = run('--snapshot', snapshot, '--auto-provision', '--quiet');
    const again = JSON.parse(await second.firstLine) as { http: string };
    assert.deepEqual((await register(again.http)).data, data);
    second.child.kill('SIGTERM');
    await second.ended;
  });

  it('explains itself', async () => {
    const { code, out } = await run('--help').ended;
    assert.equal(code, 0);
    for (const option of ['--config', '--mqtt-port', '--https-port']) assert.ok(out.includes(option), option);
  });

  it('ends with 2 on wrong options and configurations, and says what is wrong', async () => {
    const broken = join(dir, 'broken.json');
    writeFileSync(broken, '{');
    const wrong = join(dir, 'wrong.json');
    writeFileSync(wrong, JSON.stringify({ products: [{ productKey: 'a', devices: [{ deviceName: 7 }] }] }));
    const runs = [
      { options: ['--color'], message: /--color/ },
      { options: ['--mqtt-port', '70000'], message: /--mqtt-port must be 0–65535/ },
      { options: ['--config', broken], message: /broken\.json is not JSON/ },
      { options: ['--config', join(dir, 'missing.json')], message: /missing\.json cannot be read/ },
      { options: ['--config', wrong], message: /products\[0\]\.devices\[0\]\.deviceName: must be a text/ },
    ];
    for (const { options, message } of runs) {
      const { code, out, err } = await run(...options).ended;
      assert.equal(code, 2, err);
      assert.match(err, message);
      assert.equal(out, '');
    }
  });

  it('ends with 1 when a port is taken, and names door and port', async () => {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as { port: number };
    const { code, err } = await run('--http-port', '0', '--mqtt-port', String(port)).ended;
    assert.equal(code, 1);
    assert.match(err, new RegExp(`port ${port} for the mqtt door is taken`));
    await new Promise((done) => server.close(done));
  });
});
