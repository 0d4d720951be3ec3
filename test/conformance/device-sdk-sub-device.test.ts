import assert from 'node:assert/strict';
import type Iot from '@alicloud/iot20180120';
import {
  GetDeviceShadowRequest,
  InvokeThingServiceRequest,
  PubRequest,
  QueryDevicePropRequest,
  RRpcRequest,
  SetDeviceDesiredPropertyRequest,
  SetDevicePropertyRequest,
  UpdateDeviceShadowRequest,
} from '@alicloud/iot20180120';
import type { ShadowMessage, SubDevice } from 'alibabacloud-iot-device-sdk';
import { type Emulator, startEmulator } from '../../emulator';
import { cloudClient } from '../support/cloud';
import { asked, GATEWAY, lamp, lampNames, PLANT, VendorGateway } from '../support/vendor-gateway';

const sys = (n: number, path: string) => `/sys/${lampNames(n).productKey}/${lampNames(n).deviceName}/${path}`;
const ERROR = `/ext/error/${GATEWAY.productKey}/${GATEWAY.deviceName}`;

/** Sub-devices of the vendor's device SDK, unmodified: their messages over the gateway's connection. */
describe("the vendor's device SDK with sub-devices on the emulator", () => {
  let emulator: Emulator;
  let cloud: Iot;
  let gateway: VendorGateway;
  let first: SubDevice;
  let second: SubDevice;

  beforeEach(async () => {
    emulator = await startEmulator({ config: PLANT });
    cloud = cloudClient(emulator);
    gateway = await VendorGateway.connect(emulator);
    first = await gateway.online(lamp(1));
    second = await gateway.online(lamp(2));
  });

  afterEach(async () => {
    await gateway.end();
    await emulator.close();
  });

  const post = (sub: SubDevice, level: unknown) => asked((callback) => sub.postProps({ level }, callback));
  const stored = (n: number) => emulator.devices.get(lampNames(n))?.properties.level?.value;

  describe('reports', () => {
    it('properties of several, each stored with its own device and answered to it', async () => {
      const answers = await Promise.all([post(first, 1), post(second, 2), post(first, 3), post(second, 4)]);
      assert.deepEqual(
        answers.map(({ code }) => code),
        [200, 200, 200, 200],
      );
      assert.deepEqual([stored(1), stored(2)], [3, 4]);
    });

    it('the gateway still reports for itself', async () => {
      const { code } = await asked((callback) => gateway.sdk.postProps({ uptime: 1 }, callback));
      assert.equal(code, 200);
      assert.equal(emulator.devices.get(GATEWAY)?.properties.uptime?.value, 1);
    });

    it('events, refused ones with the code of the thing model', async () => {
      const event = (level: unknown) =>
        asked((callback) => first.postEvent('burnt', { value: { level } }, callback));
      assert.equal((await event(7)).code, 200);
      assert.equal((await event('a lot')).code, 6306);
      assert.deepEqual(
        emulator.devices.get(lampNames(1))?.events.map(({ identifier, value }) => ({ identifier, value })),
        [{ identifier: 'burnt', value: { level: 7 } }],
      );
      assert.deepEqual(emulator.devices.get(lampNames(2))?.events, []);
    });

    it('tags are posted and deleted', async () => {
      const tags = [
        { attrKey: 'hall', attrValue: '3' },
        { attrKey: 'line', attrValue: 'B' },
      ];
      const props = async (n: number) => {
        const { body } = await cloud.queryDeviceProp(new QueryDevicePropRequest(lampNames(n)));
        return JSON.parse(body?.props ?? '{}') as object;
      };
      assert.equal((await asked((callback) => first.postTags(tags, callback))).code, 200);
      assert.deepEqual(await props(1), { hall: '3', line: 'B' });
      assert.deepEqual(await props(2), {});
      assert.equal((await asked((callback) => first.deleteTags(['hall'], callback))).code, 200);
      assert.deepEqual(await props(1), { line: 'B' });
    });

    it('desired values are read and taken away on the sub-device’s own topics', async () => {
      const { body } = await cloud.setDeviceDesiredProperty(
        new SetDeviceDesiredPropertyRequest({
          ...lampNames(1),
          items: '{"level":9}',
          versions: '{"level":0}',
        }),
      );
      assert.equal(body?.success, true, body?.errorMessage);
      await gateway.subscribe(
        sys(1, 'thing/property/desired/get_reply'),
        sys(1, 'thing/property/desired/delete_reply'),
      );
      const ask = async (operation: string, params: unknown) => {
        const topic = sys(1, `thing/property/desired/${operation}`);
        first.publish(topic, JSON.stringify({ id: '900', version: '1.0', params }));
        return gateway.next(`${topic}_reply`);
      };
      assert.deepEqual((await ask('get', ['level'])).data, { level: { value: 9, version: 1 } });
      assert.equal((await ask('delete', { level: { version: 1 } })).code, 200);
      assert.deepEqual((await ask('get', ['level'])).data, {});
    });
  });

  describe('requests of the platform', () => {
    it('onProps of the one that is meant gets the values', async () => {
      second.onProps(() => assert.fail('it was not meant'));
      const set = new Promise<{ params: object }>((resolve) => first.onProps(resolve));
      const { body } = await cloud.setDeviceProperty(
        new SetDevicePropertyRequest({ ...lampNames(1), items: '{"level":7}' }),
      );
      assert.equal(body?.success, true, body?.errorMessage);
      assert.deepEqual((await set).params, { level: 7 });
    });

    it('onService of the one that is meant answers an asynchronous call', async () => {
      const since = emulator.exchanges.latest;
      for (const [sub, factor] of [
        [first, 2],
        [second, 3],
      ] as const) {
        sub.onService('slowly', ({ id, params }, reply) =>
          reply({ id, code: 200, data: { result: Number(params.number) * factor } }),
        );
      }
      for (const n of [1, 2]) {
        await emulator.exchanges.waitFor(
          ({ kind, topic }) => kind === 'subscribe' && topic === sys(n, 'thing/service/slowly'),
          { since },
        );
      }
      for (const [n, result] of [
        [1, 8],
        [2, 12],
      ] as const) {
        const { body } = await cloud.invokeThingService(
          new InvokeThingServiceRequest({ ...lampNames(n), identifier: 'slowly', args: '{"number":4}' }),
        );
        assert.equal(body?.success, true, body?.errorMessage);
        const { json } = await emulator.exchanges.waitFor(
          ({ kind, topic }) => kind === 'up' && topic === sys(n, 'thing/service/slowly_reply'),
        );
        assert.deepEqual((json as { data?: object }).data, { result });
      }
    });

    it('onService answers synchronous calls to several at the same time', async () => {
      for (const [sub, factor] of [
        [first, 2],
        [second, 3],
      ] as const) {
        sub.onService('quickly', ({ id, params }, reply) =>
          reply({ id, code: 200, data: { result: Number(params.number) * factor } }, 'sync'),
        );
      }
      const call = async (n: number) => {
        const { body } = await cloud.invokeThingService(
          new InvokeThingServiceRequest({ ...lampNames(n), identifier: 'quickly', args: '{"number":5}' }),
        );
        return JSON.parse(body?.data?.result ?? 'null') as unknown;
      };
      assert.deepEqual(await Promise.all([call(1), call(2)]), [{ result: 10 }, { result: 15 }]);
    });

    it('a raw RRPC reaches the sub-device’s topic and is answered there', async () => {
      const listener = (topic: string, payload: Buffer) => {
        if (!topic.startsWith(sys(2, 'rrpc/request/'))) return;
        second.publish(topic.replace('/request/', '/response/'), `pong ${payload}`);
      };
      gateway.sdk.on('message', listener);
      const { body } = await cloud.rRpc(
        new RRpcRequest({
          ...lampNames(2),
          requestBase64Byte: Buffer.from('ping').toString('base64'),
          timeout: 5000,
        }),
      );
      assert.equal(body?.rrpcCode, 'SUCCESS', body?.errorMessage);
      assert.equal(Buffer.from(body?.payloadBase64Byte ?? '', 'base64').toString(), 'pong ping');
    });

    it('onConfig gets a pushed configuration; getConfig is told that there is none', async () => {
      const pushed = new Promise<{ params?: object }>((resolve) => first.onConfig(resolve));
      second.onConfig(() => assert.fail('it was not meant'));
      const params = { configId: 'one', getType: 'file', configSize: 16, url: 'https://example.com/one' };
      const delivery = emulator.publishToDevice(
        lampNames(1),
        sys(1, 'thing/config/push'),
        JSON.stringify({ id: '12', version: '1.0', method: 'thing.config.push', params }),
      );
      assert.equal(delivery, 'sent');
      assert.deepEqual((await pushed).params, params);
      assert.equal((await asked((callback) => first.getConfig(callback))).code, 6710);
    });
  });

  it('the shadow of each is its own', async () => {
    const inbox = (sub: SubDevice) => {
      const messages: ShadowMessage[] = [];
      const waiting: Array<(message: ShadowMessage) => void> = [];
      sub.onShadow((message) => {
        const taker = waiting.shift();
        if (taker) taker(message);
        else messages.push(message);
      });
      return async () => messages.shift() ?? new Promise<ShadowMessage>((resolve) => waiting.push(resolve));
    };
    const [nextOfFirst, nextOfSecond] = [inbox(first), inbox(second)];
    first.postShadow({ level: 5 });
    second.postShadow({ level: 6 });
    assert.equal((await nextOfFirst()).payload.status, 'success');
    assert.equal((await nextOfSecond()).payload.status, 'success');
    first.getShadow();
    assert.deepEqual((await nextOfFirst()).payload.state?.reported, { level: 5 });
    const { body } = await cloud.getDeviceShadow(new GetDeviceShadowRequest(lampNames(2)));
    const { state, version } = JSON.parse(body?.shadowMessage ?? '{}') as { state: object; version: number };
    assert.deepEqual(state, { reported: { level: 6 } });
    await cloud.updateDeviceShadow(
      new UpdateDeviceShadowRequest({
        ...lampNames(2),
        shadowMessage: JSON.stringify({
          method: 'update',
          state: { desired: { level: 9 } },
          version: version + 1,
        }),
      }),
    );
    const control = await nextOfSecond();
    assert.equal(control.method, 'control');
    assert.deepEqual(control.payload.state?.desired, { level: 9 });
    second.deleteShadow();
    assert.equal((await nextOfSecond()).payload.status, 'success');
  });

  it('own topics of a sub-device go both ways', async () => {
    const own = (name: string) => `/${lampNames(1).productKey}/${lampNames(1).deviceName}/user/${name}`;
    await gateway.subscribe(own('get'));
    const { body } = await cloud.pub(
      new PubRequest({
        productKey: lampNames(1).productKey,
        topicFullName: own('get'),
        messageContent: Buffer.from('"hello"').toString('base64'),
        qos: 1,
      }),
    );
    assert.equal(body?.success, true, body?.errorMessage);
    assert.equal((await gateway.next(own('get'))).text, '"hello"');
    first.publish(own('update'), 'hello from behind the gateway');
    const { operation, note, text, identity } = await emulator.exchanges.waitFor(
      ({ kind, topic }) => kind === 'up' && topic === own('update'),
    );
    assert.deepEqual([operation, note, text], ['user.publish', undefined, 'hello from behind the gateway']);
    assert.equal(identity?.deviceName, 'lamp-1');
  });

  it('topics of a sub-device that is not logged in are refused', async () => {
    await gateway.topology(lamp(3));
    const since = emulator.exchanges.latest;
    gateway.sdk.subscribe(sys(3, 'thing/service/slowly'), { qos: 1 }, () => undefined);
    const { code } = await emulator.exchanges.waitFor(({ kind }) => kind === 'subscribe', { since });
    assert.equal(code, 128);
  });

  /**
   * Sessions of sub-devices end with the gateway's connection (B.5). The SDK does not log them in again: its
   * sub-devices stay dead, although the platform would let them in.
   */
  describe('when the gateway has reconnected', () => {
    let since: number;

    beforeEach(async () => {
      await gateway.subscribe(ERROR);
      since = emulator.exchanges.latest;
      emulator.faults.kick(GATEWAY);
      // After a second, which is MQTT.js's own.
      await emulator.exchanges.waitFor(
        ({ kind, identity }) => kind === 'connect' && identity?.deviceName === GATEWAY.deviceName,
        { since },
      );
    });

    it('the SDK logs nobody in, and a post gets no answer but 520 on the gateway’s error topic', async () => {
      first.postProps({ level: 8 }, () => assert.fail('it was answered'));
      const { code, data } = await gateway.next(ERROR);
      assert.equal(code, 520);
      assert.deepEqual(data, lampNames(1));
      assert.equal(stored(1), undefined);
      const logins = emulator.exchanges.list(
        ({ seq, operation }) => seq > since && operation === 'session.login',
      );
      assert.deepEqual(logins, []);
      // The gateway itself is well.
      assert.equal((await asked((callback) => gateway.sdk.postProps({ uptime: 2 }, callback))).code, 200);
    });

    it('the platform lets them in again as soon as somebody asks, and the old handles live', async () => {
      const { reply } = await gateway.tryLogin(lamp(1));
      assert.equal(reply.code, 200);
      assert.equal((await post(first, 8)).code, 200);
      assert.equal(stored(1), 8);
      const set = new Promise<{ params: object }>((resolve) => first.onProps(resolve));
      await cloud.setDeviceProperty(new SetDevicePropertyRequest({ ...lampNames(1), items: '{"level":7}' }));
      assert.deepEqual((await set).params, { level: 7 });
    });
  });
});
