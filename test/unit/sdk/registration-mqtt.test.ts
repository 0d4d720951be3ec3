import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, before, beforeEach, describe, it } from 'mocha';
import { type Platform, signDevice, signRegistration } from '../../../protocol';
import { hmac } from '../../../protocol/hmac';
import {
  type Authentication,
  closeAllDevices,
  type Device,
  type DeviceOptions,
  fileSecretStore,
  openDevice,
  type SecretStore,
} from '../../../sdk';
import { certificate, type TestCertificate } from '../../support/certificates';
import { accept, refuse, ScriptedBroker } from '../../support/scripted-broker';
import { state } from '../../support/sdk-device';

const IDENTITY = { productKey: 'a1Test', deviceName: 'lamp-1' };
const PRODUCT_SECRET = 'product secret';

describe('registration over MQTT', () => {
  let trusted: TestCertificate;
  let broker: ScriptedBroker;
  let folder: string;
  let store: SecretStore;

  before(async () => {
    trusted = await certificate();
  });

  beforeEach(async () => {
    broker = await ScriptedBroker.start({ tls: trusted });
    folder = mkdtempSync(join(tmpdir(), 'alink-secrets-'));
    store = fileSecretStore(folder);
  });

  afterEach(async () => {
    await closeAllDevices();
    await broker.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  function open(authentication: Authentication, more: Partial<DeviceOptions> = {}): Device {
    const platform: Platform = {
      kind: 'custom',
      host: '127.0.0.1',
      ports: { tls: broker.port },
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

  const overMqtt: Authentication = { kind: 'productSecret', productSecret: PRODUCT_SECRET, via: 'mqtt' };

  function passwordOf(peer: ScriptedBroker['last'], deviceSecret: string): string {
    const clientId = peer.connect?.clientId ?? '';
    const timestamp = /timestamp=(\d+)/.exec(clientId)?.[1] ?? '';
    const fields = { ...IDENTITY, clientId: clientId.split('|')[0] ?? '', timestamp };
    return signDevice(hmac, 'hmacsha256', deviceSecret, fields);
  }

  it('takes the secret that is pushed, disconnects and connects with it', async () => {
    broker.script.connect = (peer, packet) => {
      accept(peer);
      if (packet.clientId.includes('authType=register'))
        peer.push('/ext/register', JSON.stringify({ ...IDENTITY, deviceSecret: 'pushed' }));
    };
    const device = open(overMqtt);
    device.connect();
    await state(device, 'online');
    const [registering, connected] = broker.peers;
    assert.ok(registering?.connect && connected);
    const { clientId, username, password, clean } = registering.connect;
    const [, random = ''] =
      /^a1Test\.lamp-1\|securemode=2,authType=register,random=(\w+),signmethod=hmacsha256\|$/.exec(
        clientId,
      ) ?? [];
    assert.deepEqual([username, clean], ['lamp-1&a1Test', true]);
    const signed = { ...IDENTITY, random };
    assert.equal(String(password), signRegistration(hmac, 'hmacsha256', PRODUCT_SECRET, signed));
    assert.equal(registering.received.at(-1)?.cmd, 'disconnect');
    assert.equal(String(connected.connect?.password), passwordOf(connected, 'pushed'));
  });

  it('takes a token without pre-registration, on either topic, and stores it', async () => {
    for (const topic of ['/ext/regnwl', '/ext/register']) {
      rmSync(folder, { recursive: true, force: true });
      broker.script.connect = (peer, packet) => {
        accept(peer);
        if (packet.clientId.includes('authType=regnwl'))
          peer.push(topic, JSON.stringify({ ...IDENTITY, clientId: 'given', deviceToken: '^1^token' }));
      };
      const device = open({
        kind: 'noPreRegistration',
        productSecret: PRODUCT_SECRET,
        instanceId: 'iot-1',
      });
      device.connect();
      await state(device, 'online');
      const [registering, connected] = broker.peers.slice(-2);
      assert.match(
        registering?.connect?.clientId ?? '',
        /securemode=-2,authType=regnwl,.*instanceId=iot-1\|$/,
      );
      assert.match(connected?.connect?.clientId ?? '', /^given\|securemode=-2,authType=connwl,_ss=1,/);
      assert.equal(String(connected?.connect?.password), '^1^token');
      await device.release();
    }
    assert.deepEqual(await store.read(IDENTITY, '127.0.0.1'), {
      clientId: 'given',
      deviceToken: '^1^token',
    });
  });

  const pushes: Array<[string, string]> = [
    ['nothing of use', '{"code":1}'],
    ['no JSON', '}'],
    ['the secret of another device', '{"productKey":"a1Test","deviceName":"lamp-2","deviceSecret":"x"}'],
    ['a token that would change the CONNECT', '{"clientId":"a|securemode=2","deviceToken":"x"}'],
  ];
  for (const [what, text] of pushes) {
    it(`fails when ${what} is pushed`, async () => {
      broker.script.connect = (peer) => {
        accept(peer);
        peer.push('/ext/register', text);
      };
      const device = open(overMqtt);
      device.connect();
      assert.equal((await state(device, 'refused')).reason?.key, 'registrationFailed');
      assert.deepEqual(readdirSync(folder), []);
    });
  }

  it('says what the refusal of a registration means', async () => {
    broker.script.connect = refuse(4);
    const device = open(overMqtt);
    device.connect();
    const { reason } = await state(device, 'refused');
    assert.deepEqual([reason?.key, reason?.code], ['registrationFailed', 4]);
    assert.match(reason?.message ?? '', /productSecret/);
  });

  it('gives up when nothing is pushed', async () => {
    const device = open(overMqtt, { timing: { registrationMs: 30 } });
    device.connect();
    assert.equal((await state(device, 'waiting')).reason?.key, 'registrationTimeout');
  });

  it('does not go over a connection that anybody can read', async () => {
    const plain = await ScriptedBroker.start();
    try {
      const platform: Platform = {
        kind: 'custom',
        host: '127.0.0.1',
        ports: { tcp: plain.port, tls: broker.port },
      };
      const device = open(overMqtt, { platform, transport: 'tcp' });
      device.connect();
      await broker.next('connect');
      assert.equal(plain.peers.length, 0);
    } finally {
      await plain.stop();
    }
  });
});
