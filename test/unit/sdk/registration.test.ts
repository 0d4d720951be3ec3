import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, before, beforeEach, describe, it } from 'mocha';
import { type Platform, signDevice, signRegistration } from '../../../protocol';
import { hmac } from '../../../protocol/hmac';
import {
  AlinkError,
  type Authentication,
  closeAllDevices,
  type Device,
  type DeviceOptions,
  fileSecretStore,
  openDevice,
  type SecretStore,
  type SessionState,
} from '../../../sdk';
import { certificate, type TestCertificate } from '../../support/certificates';
import { HttpsDoor } from '../../support/https-door';
import { accept, refuse, ScriptedBroker } from '../../support/scripted-broker';
import { state } from '../../support/sdk-device';

const IDENTITY = { productKey: 'a1Test', deviceName: 'lamp-1' };
const PRODUCT_SECRET = 'product secret';

describe('registration over HTTPS', () => {
  let trusted: TestCertificate;
  let broker: ScriptedBroker;
  let door: HttpsDoor;
  let folder: string;
  let store: SecretStore;

  before(async () => {
    trusted = await certificate();
  });

  beforeEach(async () => {
    broker = await ScriptedBroker.start({ tls: trusted });
    door = await HttpsDoor.open(createServer(trusted));
    folder = mkdtempSync(join(tmpdir(), 'alink-secrets-'));
    store = fileSecretStore(folder);
  });

  afterEach(async () => {
    await closeAllDevices();
    await broker.stop();
    door.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  function open(authentication: Authentication, more: Partial<DeviceOptions> = {}): Device {
    const platform: Platform = {
      kind: 'custom',
      host: '127.0.0.1',
      ports: { tls: broker.port },
      httpUrl: `https://127.0.0.1:${door.port}`,
    };
    return openDevice({
      identity: IDENTITY,
      platform,
      transport: 'tls',
      ca: trusted.cert,
      authentication,
      secretStore: store,
      ...more,
      timing: {
        backoff: { first: 10, longest: 20 },
        refusalBackoff: { first: 10, longest: 20 },
        connectsPerMinute: 100,
        endMs: 50,
        ...more.timing,
      },
    });
  }

  const https: Authentication = { kind: 'productSecret', productSecret: PRODUCT_SECRET, via: 'https' };

  function passwordOf(peer: ScriptedBroker['last'], deviceSecret: string): string {
    const clientId = peer.connect?.clientId ?? '';
    const timestamp = /timestamp=(\d+)/.exec(clientId)?.[1] ?? '';
    const fields = { ...IDENTITY, clientId: clientId.split('|')[0] ?? '', timestamp };
    return signDevice(hmac, 'hmacsha256', deviceSecret, fields);
  }

  it('signs with the product secret, stores what it gets and connects with it', async () => {
    door.answer = () => JSON.stringify({ code: 200, data: { ...IDENTITY, deviceSecret: 'given' } });
    open(https).connect();
    await broker.next('connect');
    const [asked] = door.asked;
    assert.equal(asked?.path, '/auth/register/device');
    const { random = '', sign, signMethod } = asked.form;
    const signed = { ...IDENTITY, random };
    assert.deepEqual(
      [signMethod, sign],
      ['hmacsha256', signRegistration(hmac, 'hmacsha256', PRODUCT_SECRET, signed)],
    );
    assert.equal(String(broker.last.connect?.password), passwordOf(broker.last, 'given'));
    assert.deepEqual(await store.read(IDENTITY, '127.0.0.1'), { deviceSecret: 'given' });
  });

  it('does not register again after a restart', async () => {
    await store.write(IDENTITY, '127.0.0.1', { deviceSecret: 'stored' });
    const device = open(https);
    device.connect();
    await state(device, 'online');
    assert.equal(String(broker.last.connect?.password), passwordOf(broker.last, 'stored'));
    assert.equal(door.asked.length, 0);
  });

  it('does not connect with a secret that could not be stored', async () => {
    door.answer = () => JSON.stringify({ code: 200, data: { deviceSecret: 'given' } });
    const failing: SecretStore = {
      read: async () => undefined,
      write: async () => {
        throw new Error('the disk is full');
      },
    };
    const device = open(https, { secretStore: failing });
    device.connect();
    const { reason } = await state(device, 'refused');
    assert.equal(reason?.key, 'secretStore');
    assert.equal(broker.peers.length, 0);
  });

  it('does not register over a file it cannot read', async () => {
    await store.write(IDENTITY, '127.0.0.1', { deviceSecret: 'stored' });
    const [file = ''] = readdirSync(folder);
    writeFileSync(join(folder, file), '{"deviceSecret"');
    const device = open(https);
    device.connect();
    assert.equal((await state(device, 'refused')).reason?.key, 'secretStore');
    assert.equal(door.asked.length, 0);
  });

  it('keeps a stored secret that is refused, and says what to do', async () => {
    await store.write(IDENTITY, '127.0.0.1', { deviceSecret: 'stored' });
    broker.script.connect = refuse(4);
    const device = open(https);
    device.connect();
    const { reason } = await state(device, 'refused');
    assert.deepEqual([reason?.key, reason?.code, reason?.details.storedSecret], ['refusedCredentials', 4, 1]);
    assert.match(reason?.message ?? '', /remove the stored secret/);
    assert.deepEqual(await store.read(IDENTITY, '127.0.0.1'), { deviceSecret: 'stored' });
    assert.equal(door.asked.length, 0);
  });

  it('registers anew when somebody removed the stored secret that was refused', async () => {
    await store.write(IDENTITY, '127.0.0.1', { deviceSecret: 'stored' });
    door.answer = () => JSON.stringify({ code: 200, data: { deviceSecret: 'new' } });
    broker.script.connect = (peer, packet) =>
      (String(packet.password) === passwordOf(peer, 'new') ? accept : refuse(4))(peer, packet);
    const device = open(https);
    device.connect();
    await state(device, 'refused');
    rmSync(folder, { recursive: true, force: true });
    await state(device, 'online');
    assert.deepEqual(await store.read(IDENTITY, '127.0.0.1'), { deviceSecret: 'new' });
  });

  it('registers anew at an emulator, which forgets its devices', async () => {
    await store.write(IDENTITY, 'emulator', { deviceSecret: 'stored' });
    door.answer = () => JSON.stringify({ code: 200, data: { deviceSecret: 'new' } });
    broker.script.connect = (peer, packet) =>
      (String(packet.password) === passwordOf(peer, 'new') ? accept : refuse(4))(peer, packet);
    const httpUrl = `https://127.0.0.1:${door.port}`;
    const platform: Platform = {
      kind: 'emulator',
      host: '127.0.0.1',
      ports: { tls: broker.port },
      httpUrl,
    };
    const device = open(https, { platform });
    device.connect();
    await state(device, 'online');
    assert.deepEqual(await store.read(IDENTITY, 'emulator'), { deviceSecret: 'new' });
  });

  const answers: Array<[string, string, Partial<AlinkError>]> = [
    [
      'a code',
      '{"code":6288,"message":"off"}',
      { key: 'registrationFailed', code: 6288, platformMessage: 'off' },
    ],
    ['no secret', '{"code":200,"data":{}}', { key: 'registrationFailed' }],
    ['no JSON', '<html>', { key: 'registrationFailed' }],
    ['far too much', `"${'x'.repeat(100_000)}"`, { key: 'unreachable' }],
  ];
  for (const [what, text, expected] of answers) {
    it(`fails when the answer is ${what}`, async () => {
      door.answer = () => text;
      const device = open(https);
      const failed = new Promise<SessionState>((resolve) => {
        device.onState((now) => now.reason && resolve(now));
      });
      device.connect();
      const { reason } = await failed;
      for (const [name, value] of Object.entries(expected))
        assert.equal(Reflect.get(reason ?? {}, name), value);
      assert.deepEqual(readdirSync(folder), []);
      assert.ok(!String(reason?.stack).includes(PRODUCT_SECRET));
    });
  }

  it('gives up when there is no answer', async () => {
    const device = open(https, { timing: { httpsMs: 30 } });
    device.connect();
    assert.equal((await state(device, 'waiting')).reason?.key, 'registrationTimeout');
  });

  it('does not trust a door that nobody vouches for, and sends nothing in the clear', async () => {
    const device = openDevice({
      identity: IDENTITY,
      platform: { kind: 'custom', host: '127.0.0.1', httpUrl: `https://127.0.0.1:${door.port}` },
      transport: 'tls',
      authentication: https,
      secretStore: store,
    });
    device.connect();
    assert.equal((await state(device, 'waiting')).reason?.key, 'tls');
    assert.equal(door.asked.length, 0);
    const clear: Platform = { kind: 'custom', host: 'h', httpUrl: 'http://platform.example' };
    assert.throws(
      () => open(https, { platform: clear }),
      (error: unknown) => error instanceof AlinkError && error.details.field === 'httpUrl',
    );
    open(https, { platform: { ...clear, httpUrl: 'http://127.0.0.1:8080' } });
  });

  describe('with a token from HTTPS', () => {
    it('connects with it where the platform says, and asks for another when it is refused', async () => {
      let given = 0;
      door.answer = () =>
        JSON.stringify({
          code: 200,
          data: {
            iotId: `id${++given}`,
            iotToken: `token${given}`,
            resources: { mqtt: { host: '127.0.0.1', port: broker.port } },
          },
        });
      broker.script.connect = (peer, packet) =>
        (packet.username === 'id2' && String(packet.password) === 'token2' ? accept : refuse(3))(
          peer,
          packet,
        );
      const device = open(
        { kind: 'iotToken', deviceSecret: 'secret' },
        { port: 1 }, // nobody is there: the answer names the place
      );
      device.connect();
      await state(device, 'online');
      const [{ path, form } = { path: '', form: {} as Record<string, string> }] = door.asked;
      assert.equal(path, '/auth/devicename');
      const { clientId = '', timestamp = '', sign } = form;
      const signed = { ...IDENTITY, clientId, timestamp };
      assert.equal(sign, signDevice(hmac, 'hmacsha256', 'secret', signed));
      assert.equal(door.asked.length, 2);
    });

    it('is refused when the platform refuses', async () => {
      door.answer = () => '{"code":6200,"message":"no"}';
      const device = open({ kind: 'iotToken', deviceSecret: 'secret' });
      device.connect();
      const { reason } = await state(device, 'refused');
      assert.deepEqual([reason?.key, reason?.code], ['authenticationFailed', 6200]);
    });
  });

  it('says which credential is missing, without asking anybody', async () => {
    const cases: Array<[Authentication, string]> = [
      [{ kind: 'deviceSecret', deviceSecret: '' }, 'deviceSecret'],
      [{ kind: 'iotToken', deviceSecret: '' }, 'deviceSecret'],
      [{ ...https, productSecret: '' }, 'productSecret'],
    ];
    for (const [authentication, field] of cases) {
      const device = open(authentication);
      device.connect();
      const { reason } = await state(device, 'refused');
      assert.deepEqual([reason?.key, reason?.details.field], ['credentialsMissing', field]);
      await device.release();
    }
    assert.equal(door.asked.length + broker.peers.length, 0);
  });
});
