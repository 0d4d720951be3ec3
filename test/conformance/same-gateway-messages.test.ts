import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import type { Names, Reply, Triple } from 'alibabacloud-iot-device-sdk';
import { type Emulator, type Exchange, startEmulator } from '../../emulator';
import { type Device, type Gateway, openDevice, openSubDevice, type SecretStore } from '../../sdk';
import { state } from '../support/sdk-device';
import {
  asked,
  GATEWAY,
  lamp,
  lampNames,
  OTHER_GATEWAY,
  PLANT,
  VendorGateway,
} from '../support/vendor-gateway';

// Each gateway works with a lamp of its own; in what is compared both are called the same.
const OURS = { gateway: OTHER_GATEWAY, lamp: 2 };
const FORGETFUL: SecretStore = { read: async () => undefined, write: async () => undefined };
const THEIRS = { gateway: GATEWAY, lamp: 1 };

interface Sent {
  topic: string;
  qos: number | undefined;
  body: { id: unknown; params: unknown; [name: string]: unknown };
}

/** Fields that prove a sub-device, whose texts differ with the time and the secret. */
type Proof = Record<'clientId' | 'sign' | 'timestamp', string | number> & Record<string, unknown>;

/**
 * What our SDK writes on the wire as a gateway, beside what the vendor's device SDK writes. Where they differ the
 * reference says who is right; each difference is named here, and any other fails.
 */
describe('gateway messages of our SDK and of the vendor’s device SDK', () => {
  let emulator: Emulator;
  let device: Device;
  let ours: Gateway;
  let theirs: VendorGateway;

  beforeEach(async () => {
    emulator = await startEmulator({ config: PLANT });
    theirs = await VendorGateway.connect(emulator, THEIRS.gateway);
    device = openDevice(ourOptions());
    assert.ok(device.gateway);
    ours = device.gateway;
    const online = state(device, 'online');
    device.connect();
    await online;
  });

  afterEach(async () => {
    await device.release();
    await theirs.end();
    await emulator.close();
  });

  function ourOptions(): Parameters<typeof openDevice>[0] {
    return {
      identity: OURS.gateway,
      platform: { kind: 'custom', host: '127.0.0.1' },
      port: emulator.ports.mqtt ?? 0,
      transport: 'tcp',
      authentication: { kind: 'deviceSecret', deviceSecret: `secret-of-${OURS.gateway.deviceName}` },
      gateway: {},
      secretStore: FORGETFUL,
    };
  }

  /** The next message of each gateway on a topic that ends so, the names in it made the same. */
  async function pair(end: string, our: () => unknown, their: () => unknown): Promise<[Sent, Sent]> {
    const since = emulator.exchanges.latest;
    const next = async (who: typeof OURS): Promise<Sent> => {
      const { topic, qos, text } = await emulator.exchanges.waitFor(
        (exchange: Exchange) =>
          exchange.kind === 'up' &&
          exchange.topic?.endsWith(end) === true &&
          exchange.topic.includes(`/${who.gateway.deviceName}/`),
        { since },
      );
      const same = (name: string) =>
        name.replaceAll(who.gateway.deviceName, 'gateway').replaceAll(`lamp-${who.lamp}`, 'lamp');
      return { topic: same(topic ?? ''), qos, body: JSON.parse(same(text)) };
    };
    const [sentByUs, sentByThem] = [next(OURS), next(THEIRS)];
    const work = Promise.all([our(), their()]);
    const sent = await Promise.all([sentByUs, sentByThem]);
    await work;
    return sent;
  }

  function assertSameEnvelope([our, their]: [Sent, Sent], { qos = 1, method = true } = {}): void {
    assert.equal(our.topic, their.topic);
    // They publish everything at QoS 0; the reference has QoS 0 for sessions and takes QoS 1 for the rest.
    assert.deepEqual([our.qos, their.qos], [qos, 0]);
    assert.match(String(our.body.id), /^\d{1,10}$/);
    assert.equal(typeof their.body.id, 'string');
    assert.equal(our.body.version, their.body.version);
    // Sessions have no method (B.5): we leave it out, they send an empty one.
    assert.equal(our.body.method, method ? their.body.method : undefined);
    if (!method) assert.equal(their.body.method, '');
    const known = ['id', 'version', 'sys', 'params', 'method'];
    for (const { body } of [our, their]) {
      assert.deepEqual(
        Object.keys(body).filter((name) => !known.includes(name)),
        [],
      );
    }
  }

  /** Each is signed over exactly what it says, with another program's HMAC. */
  function assertSigned(proof: Proof, n: number, algorithm: 'sha1' | 'sha256'): void {
    const { productKey, deviceName, deviceSecret } = lamp(n);
    const clientId = String(proof.clientId).replace('lamp', deviceName);
    const content = `clientId${clientId}deviceName${deviceName}productKey${productKey}timestamp${proof.timestamp}`;
    const sign = createHmac(algorithm, deviceSecret).update(content).digest('hex');
    assert.equal(String(proof.sign).toLowerCase(), sign);
  }

  const vendor = (start: (callback: (reply: Reply) => void) => void) => async () => {
    const { code } = await asked(start);
    assert.equal(code, 200);
  };
  const credentials = (n: number) => ({ identity: lampNames(n), deviceSecret: lamp(n).deviceSecret });
  const theirLamp: Triple = lamp(THEIRS.lamp);
  const theirNames: Names = lampNames(THEIRS.lamp);

  async function bothInTopology(): Promise<void> {
    await theirs.topology(theirLamp);
    await ours.addTopology([credentials(OURS.lamp)]);
  }

  it('topology add', async () => {
    const sent = await pair(
      '/thing/topo/add',
      () => ours.addTopology([credentials(OURS.lamp)]),
      vendor((callback) => theirs.sdk.addTopo([theirLamp], callback)),
    );
    assertSameEnvelope(sent);
    const [our, their] = sent.map(({ body }) => (body.params as Proof[])[0]);
    assert.ok(our && their);
    assertSigned(our, OURS.lamp, 'sha256');
    assertSigned(their, THEIRS.lamp, 'sha1');
    assert.deepEqual([our.productKey, our.deviceName], [their.productKey, their.deviceName]);
    // The reference has small letters here (J 5), texts for times and the better method (J 4).
    assert.equal(our.signmethod, 'hmacSha256');
    assert.equal(their.signMethod, 'hmacsha1');
    assert.deepEqual([typeof our.timestamp, typeof their.timestamp], ['string', 'number']);
    assert.equal(Object.keys(our).length, Object.keys(their).length);
  });

  it('topology get and delete', async () => {
    await bothInTopology();
    const got = await pair(
      '/thing/topo/get',
      () => ours.getTopology(),
      vendor((callback) => theirs.sdk.getTopo(callback)),
    );
    assertSameEnvelope(got);
    assert.deepEqual(got[0].body.params, got[1].body.params);
    const deleted = await pair(
      '/thing/topo/delete',
      () => ours.deleteTopology([lampNames(OURS.lamp)]),
      vendor((callback) => theirs.sdk.removeTopo([theirNames], callback)),
    );
    assertSameEnvelope(deleted);
    assert.deepEqual(deleted[0].body.params, deleted[1].body.params);
  });

  it('registration', async () => {
    const sent = await pair(
      '/thing/sub/register',
      () => ours.register([{ identity: lampNames(OURS.lamp) }]),
      vendor((callback) => theirs.sdk.regiestSubDevice([theirNames], callback)),
    );
    assertSameEnvelope(sent);
    assert.deepEqual(sent[0].body.params, sent[1].body.params);
  });

  it('login and logout', async () => {
    await bothInTopology();
    const sent = await pair(
      '/combine/login',
      () => ours.login([credentials(OURS.lamp)]),
      () => theirs.tryLogin(theirLamp),
    );
    assertSameEnvelope(sent, { qos: 0, method: false });
    const [our, their] = sent.map(({ body }) => body.params as Proof);
    assert.ok(our && their);
    assertSigned(our, OURS.lamp, 'sha256');
    assertSigned(their, THEIRS.lamp, 'sha1');
    // The same field, which is spelt with a capital in this message (J 5).
    assert.deepEqual([our.signMethod, their.signMethod], ['hmacSha256', 'hmacsha1']);
    // We ask for messages without subscriptions, and say whether the session is clean (B.5 row 70).
    assert.match(String(our.clientId), /\|_ss=1\|$/);
    assert.equal(their.clientId, `${theirNames.productKey}&lamp`);
    assert.deepEqual(Object.keys(our).sort(), [...Object.keys(their), 'cleanSession'].sort());
    const out = await pair(
      '/combine/logout',
      () => ours.logout([lampNames(OURS.lamp)]),
      vendor((callback) => theirs.sdk.logout(theirNames, callback)),
    );
    assertSameEnvelope(out, { qos: 0, method: false });
    assert.deepEqual(out[0].body.params, out[1].body.params);
  });

  it('reports of sub-devices', async () => {
    await bothInTopology();
    const { sub } = await theirs.tryLogin(theirLamp);
    const handle = openSubDevice({
      identity: lampNames(OURS.lamp),
      gateway: ourOptions(),
      authentication: { kind: 'deviceSecret', deviceSecret: lamp(OURS.lamp).deviceSecret },
    });
    const online = state(handle, 'online');
    handle.connect();
    await online;
    try {
      const since = emulator.exchanges.latest;
      const next = async (n: number) => {
        const { topic, json } = await emulator.exchanges.waitFor(
          (exchange) => exchange.kind === 'up' && exchange.topic?.includes(`/lamp-${n}/`) === true,
          { since },
        );
        const { params, method } = json as { params: unknown; method: unknown };
        return { topic: topic?.replace(`lamp-${n}`, 'lamp'), params, method };
      };
      const sent = Promise.all([next(OURS.lamp), next(THEIRS.lamp)]);
      await handle.postProperties({ level: 7 });
      await vendor((callback) => sub.postProps({ level: 7 }, callback))();
      const [our, their] = await sent;
      assert.deepEqual(our, their);
    } finally {
      await handle.release();
    }
  });
});
