import assert from 'node:assert/strict';
import {
  DeleteDeviceRequest,
  DisableThingRequest,
  NotifyAddThingTopoRequest,
  RemoveThingTopoRequest,
} from '@alicloud/iot20180120';
import { device, type Names, type Reply } from 'alibabacloud-iot-device-sdk';
import { type Emulator, startEmulator } from '../../emulator';
import { cloudClient } from '../support/cloud';
import {
  asked,
  GATEWAY,
  lamp,
  lampNames,
  METER,
  OTHER_GATEWAY,
  PLANT,
  VendorGateway,
} from '../support/vendor-gateway';

const S = `/sys/${GATEWAY.productKey}/${GATEWAY.deviceName}`;
const KICKED = `/ext/session/${GATEWAY.productKey}/${GATEWAY.deviceName}/combine/logout_reply`;
const ERROR = `/ext/error/${GATEWAY.productKey}/${GATEWAY.deviceName}`;

/** The gateway's part of the vendor's device SDK, unmodified: topology, registration, sessions. */
describe("the vendor's device SDK as a gateway on the emulator", () => {
  let emulator: Emulator;
  let gateway: VendorGateway;
  // The platform's clock runs ahead of ours by this.
  let ahead: number;

  beforeEach(async () => {
    ahead = 0;
    emulator = await startEmulator({ config: PLANT, clock: () => Date.now() + ahead });
    gateway = await VendorGateway.connect(emulator);
  });

  afterEach(async () => {
    await gateway.end();
    await emulator.close();
  });

  const topology = async (of = gateway): Promise<unknown> =>
    (await asked((callback) => of.sdk.getTopo(callback))).data;
  const isOnline = (names: Names) => emulator.devices.get(names)?.status === 'ONLINE';

  describe('topology', () => {
    it('addTopo, getTopo and removeTopo', async () => {
      assert.deepEqual(await topology(), []);
      const added = await asked((callback) => gateway.sdk.addTopo([lamp(1), lamp(2)], callback));
      assert.equal(added.code, 200, added.message);
      assert.deepEqual(await topology(), [lampNames(1), lampNames(2)]);
      const removed = await asked((callback) => gateway.sdk.removeTopo([lampNames(1)], callback));
      assert.equal(removed.code, 200, removed.message);
      assert.deepEqual(await topology(), [lampNames(2)]);
    });

    it('removeTopo takes triples, as the examples of the SDK hand them in', async () => {
      await gateway.topology(lamp(1));
      const { code } = await asked((callback) => gateway.sdk.removeTopo([lamp(1)], callback));
      assert.equal(code, 200);
      assert.deepEqual(await topology(), []);
    });

    const added = async (...devices: Array<Names & { deviceSecret: string }>): Promise<number> =>
      (await asked((callback) => gateway.sdk.addTopo(devices, callback))).code;

    it('says why it refuses', async () => {
      assert.equal(await added({ ...lamp(1), deviceSecret: 'not the secret' }), 401);
      assert.equal(await added({ ...lamp(1), deviceName: 'nobody' }), 6100);
      assert.equal(await added({ ...GATEWAY, deviceSecret: `secret-of-${GATEWAY.deviceName}` }), 6402);
      assert.deepEqual(await topology(), []);
      const { code } = await asked((callback) => gateway.sdk.removeTopo([lampNames(1)], callback));
      assert.equal(code, 6401);
    });

    it('a sub-device that another gateway adds leaves the first', async () => {
      await gateway.topology(lamp(1));
      const other = await VendorGateway.connect(emulator, OTHER_GATEWAY);
      try {
        await other.topology(lamp(1));
        assert.deepEqual(await topology(other), [lampNames(1)]);
        assert.deepEqual(await topology(), []);
      } finally {
        await other.end();
      }
    });

    it('is told what an application asks to add, adds it and answers', async () => {
      await gateway.subscribe(`${S}/thing/topo/add/notify`);
      const { body } = await cloudClient(emulator).notifyAddThingTopo(
        new NotifyAddThingTopoRequest({
          gwProductKey: GATEWAY.productKey,
          gwDeviceName: GATEWAY.deviceName,
          deviceListStr: JSON.stringify([lampNames(3)]),
        }),
      );
      assert.equal(body?.success, true, body?.errorMessage);
      const { id, method, params } = await gateway.next(`${S}/thing/topo/add/notify`);
      assert.equal(method, 'thing.topo.add.notify');
      assert.deepEqual(params, [lampNames(3)]);
      await gateway.topology(lamp(3));
      gateway.sdk.publish(`${S}/thing/topo/add/notify_reply`, JSON.stringify({ id, code: 200, data: {} }));
      const answer = await emulator.exchanges.waitFor(
        ({ kind, topic }) => kind === 'up' && topic === `${S}/thing/topo/add/notify_reply`,
      );
      assert.equal(answer.operation, 'thing.topo.add.notify');
      assert.deepEqual(await topology(), [lampNames(3)]);
    });
  });

  describe('regiestSubDevice', () => {
    const registered = (devices: Names | Names[]): Promise<Reply> =>
      asked((callback) => gateway.sdk.regiestSubDevice(devices, callback));

    it('gets the secrets of several, with which they are added and logged in', async () => {
      const { code, data } = await registered([lampNames(1), lampNames(2)]);
      assert.equal(code, 200);
      const triples = (data as Array<Names & { deviceSecret: string; iotId: string }>).map(
        ({ productKey, deviceName, deviceSecret, iotId }) => {
          assert.match(iotId, /./);
          return { productKey, deviceName, deviceSecret };
        },
      );
      assert.deepEqual(triples, [lamp(1), lamp(2)]);
      await gateway.topology(...triples);
      for (const triple of triples) {
        assert.equal((await gateway.tryLogin(triple)).reply.code, 200);
        assert.equal(isOnline(triple), true);
      }
    });

    it('takes one by itself', async () => {
      const { code, data } = await registered(lampNames(3));
      assert.equal(code, 200);
      assert.equal((data as Names[])[0]?.deviceName, 'lamp-3');
    });

    it('is told why not', async () => {
      assert.equal((await registered({ ...lampNames(1), deviceName: 'nobody' })).code, 6100);
      assert.equal((await registered(GATEWAY)).code, 6402);
      assert.equal((await registered(METER)).code, 6288);
    });
  });

  describe('login and logout', () => {
    it('login brings a sub-device online, logout takes it off', async () => {
      await gateway.topology(lamp(1));
      const { sub, reply } = await gateway.tryLogin(lamp(1));
      assert.equal(reply.code, 200, reply.message);
      assert.equal(sub.connected, true);
      assert.equal(isOnline(lamp(1)), true);
      const out = await asked((callback) => gateway.sdk.logout(lampNames(1), callback));
      assert.equal(out.code, 200, out.message);
      assert.equal(isOnline(lamp(1)), false);
      const again = await asked((callback) => gateway.sdk.logout(lampNames(1), callback));
      assert.equal(again.code, 520);
    });

    it('a sub-device that was let in emits connect', async () => {
      await gateway.topology(lamp(1));
      await new Promise<void>((resolve) =>
        gateway.sdk.login(lamp(1), () => undefined).on('connect', resolve),
      );
      assert.equal(isOnline(lamp(1)), true);
    });

    it('a refused one emits error with the answer, which says why', async () => {
      await gateway.topology(lamp(1), lamp(2));
      const refusal = async (device: Names & { deviceSecret: string }): Promise<number> => {
        const { reply, refused } = await gateway.tryLogin(device);
        assert.deepEqual(refused, [reply]);
        return reply.code;
      };
      assert.equal(await refusal(lamp(3)), 6401);
      assert.equal(await refusal({ ...lamp(1), deviceName: 'nobody' }), 6100);
      assert.equal(await refusal({ ...lamp(1), deviceSecret: 'not the secret' }), 6287);
      emulator.devices.setEnabled(lampNames(2), false);
      assert.equal(await refusal(lamp(2)), 522);
      assert.equal(isOnline(lamp(2)), false);
    });

    it('the sixth login within a minute gets 429, and the minute over it is let in', async () => {
      await gateway.topology(lamp(1), lamp(2));
      const login = async (n: number) => (await gateway.tryLogin(lamp(n))).reply.code;
      const codes: number[] = [];
      for (let i = 0; i < 6; i++) codes.push(await login(1));
      assert.deepEqual(codes, [200, 200, 200, 200, 200, 429]);
      assert.equal(await login(2), 200);
      ahead = 61_000;
      assert.equal(await login(1), 200);
    });

    it('the gateway gone, its sub-devices are offline', async () => {
      await gateway.online(lamp(1));
      await gateway.end();
      await emulator.exchanges.waitFor(
        ({ kind, identity }) => kind === 'disconnect' && identity?.deviceName === GATEWAY.deviceName,
      );
      assert.equal(isOnline(lamp(1)), false);
    });
  });

  /** What the platform does to a session; the SDK has no event for it, a flow listens to its messages. */
  describe('sessions that the platform ends', () => {
    beforeEach(async () => {
      await gateway.online(lamp(1));
      await gateway.online(lamp(2));
      await gateway.subscribe(ERROR, `${S}/thing/topo/change`);
    });

    /** The notice comes on both topics; one of them the SDK subscribes by itself. */
    async function assertKicked(n: number, code: number): Promise<void> {
      for (const topic of [KICKED, ERROR]) {
        const notice = await gateway.next(topic);
        assert.equal(notice.code, code);
        assert.deepEqual(notice.data, lampNames(n));
        // The SDK cuts ids of everything it gets; a number would throw.
        assert.equal(typeof notice.id, 'string');
      }
      assert.equal(isOnline(lamp(n)), false);
      assert.equal(isOnline(lamp(n === 1 ? 2 : 1)), true);
    }

    it('disabled: 522, and the topology’s change says 8', async () => {
      const { body } = await cloudClient(emulator).disableThing(new DisableThingRequest(lampNames(1)));
      assert.equal(body?.success, true, body?.errorMessage);
      await assertKicked(1, 522);
      const { params } = await gateway.next(`${S}/thing/topo/change`);
      assert.deepEqual(params, { status: 8, subList: [lampNames(1)] });
    });

    it('deleted: 521', async () => {
      const { body } = await cloudClient(emulator).deleteDevice(new DeleteDeviceRequest(lampNames(1)));
      assert.equal(body?.success, true, body?.errorMessage);
      for (const topic of [KICKED, ERROR]) assert.equal((await gateway.next(topic)).code, 521);
      assert.deepEqual(await topology(), [lampNames(2)]);
    });

    it('removed from the topology by an application: 6401, and the change says 1', async () => {
      const { body } = await cloudClient(emulator).removeThingTopo(new RemoveThingTopoRequest(lampNames(2)));
      assert.equal(body?.success, true, body?.errorMessage);
      await assertKicked(2, 6401);
      const { params } = await gateway.next(`${S}/thing/topo/change`);
      assert.deepEqual(params, { status: 1, subList: [lampNames(2)] });
    });

    it('put behind another gateway: 6401, and the other logs it in', async () => {
      const other = await VendorGateway.connect(emulator, OTHER_GATEWAY);
      try {
        await other.topology(lamp(1));
        for (const topic of [KICKED, ERROR]) {
          const { code, data } = await gateway.next(topic);
          assert.deepEqual([code, data], [6401, lampNames(1)]);
        }
        assert.equal((await other.tryLogin(lamp(1))).reply.code, 200);
        assert.equal(isOnline(lamp(1)), true);
      } finally {
        await other.end();
      }
    });

    it('connected elsewhere by itself: 427', async () => {
      const direct = device({ ...lamp(1), brokerUrl: emulator.addresses.mqtt ?? '' });
      try {
        for (const topic of [KICKED, ERROR]) {
          const { code, data } = await gateway.next(topic);
          assert.deepEqual([code, data], [427, lampNames(1)]);
        }
        assert.equal(isOnline(lamp(1)), true);
      } finally {
        await new Promise<void>((resolve) => direct.end(true, resolve));
      }
    });

    it('a message without a session: 520 with the message’s id, and no answer', async () => {
      const { sub } = await gateway.tryLogin(lamp(1));
      await asked((callback) => gateway.sdk.logout(lampNames(1), callback));
      sub.postProps({ level: 1 }, () => assert.fail('it was answered'));
      const error = await gateway.next(ERROR);
      assert.equal(error.code, 520);
      assert.deepEqual(error.data, lampNames(1));
      assert.match(String(error.id), /^\d+\|exp-topic\|.*\/post_reply$/);
      assert.equal(emulator.devices.get(lampNames(1))?.properties.level, undefined);
    });
  });
});
