import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type Device, device as officialDevice } from 'alibabacloud-iot-device-sdk';
import { after, before, describe, it } from 'mocha';
import { type Emulator, startEmulator } from '../../emulator';
import { cloudClient } from '../support/cloud';
import { device, eventOut, propertyPost, sink } from '../support/flows';
import { type FlowNode, type Runtime, startRuntime } from '../support/runtime';

const PRODUCT_KEY = 'a1Workshop';
const OURS = { productKey: PRODUCT_KEY, deviceName: 'ours' };
const THEIRS = { productKey: PRODUCT_KEY, deviceName: 'theirs' };
const level = { type: 'int', specs: { min: '0', max: '1000' } };
const MODEL = {
  profile: { productKey: PRODUCT_KEY },
  properties: [{ identifier: 'level', name: 'Level', accessMode: 'rw', dataType: level }],
  events: [
    {
      identifier: 'full',
      name: 'Full',
      type: 'alert',
      outputData: [{ identifier: 'level', name: 'Level', dataType: level }],
    },
  ],
  services: [
    {
      identifier: 'drain',
      name: 'Drain',
      callType: 'async',
      inputData: [{ identifier: 'level', name: 'Level', dataType: level }],
      outputData: [{ identifier: 'level', name: 'Level', dataType: level }],
    },
  ],
};

interface Sent {
  topic: string;
  qos: number | undefined;
  body: Record<string, unknown>;
}

/**
 * What our nodes write on the wire for an operation, beside what the vendor's device SDK writes for it. Where they
 * differ the reference says who is right; each difference is named here, and any other fails.
 */
describe('messages of our nodes and of the vendor’s device SDK', () => {
  let emulator: Emulator;
  let red: Runtime;
  let theirs: Device;

  before(async () => {
    emulator = await startEmulator({
      config: {
        products: [
          {
            productKey: PRODUCT_KEY,
            thingModel: MODEL,
            devices: [
              { deviceName: 'ours', deviceSecret: 'secret-of-ours' },
              { deviceName: 'theirs', deviceSecret: 'secret-of-theirs' },
            ],
          },
        ],
      },
    });
    red = await startRuntime();
    await red.deploy(flow());
    await red.next('states', ({ payload }) => payload === 'online');
    theirs = officialDevice({
      ...THEIRS,
      deviceSecret: 'secret-of-theirs',
      brokerUrl: emulator.addresses.mqtt ?? '',
    });
    await once(theirs as unknown as NodeJS.EventEmitter, 'connect');
    await emulator.exchanges.waitFor(
      ({ kind, topic, identity }) =>
        identity?.deviceName === 'theirs' &&
        kind === 'subscribe' &&
        topic?.endsWith('/rrpc/request/+') === true,
    );
  });

  after(async () => {
    await new Promise<void>((resolve) => theirs.end(true, resolve));
    await red.stop();
    await emulator.close();
  });

  function flow(): FlowNode[] {
    const request = (id: string, operation: string) => ({
      id,
      z: 'tab',
      type: 'alink-request',
      device: 'device',
      operation,
      source: 'payload',
      entries: [],
      pushes: false,
      timeout: '',
      wires: [['sink']],
    });
    return [
      {
        id: 'platform',
        type: 'alink-platform',
        kind: 'custom',
        host: '127.0.0.1',
        mqttPort: String(emulator.ports.mqtt),
      },
      {
        ...device({ ...OURS, thingModel: JSON.stringify(MODEL) }),
        credentials: { deviceSecret: 'secret-of-ours' },
      },
      { id: 'life', z: 'tab', type: 'alink-lifecycle', device: 'device', initial: true, wires: [['states']] },
      sink('states'),
      sink(),
      propertyPost(),
      eventOut({ identifier: 'full', wires: [['sink']] }),
      request('tags', 'thing.deviceinfo.update'),
      request('untag', 'thing.deviceinfo.delete'),
      request('shadow', 'shadow.update'),
      {
        id: 'service',
        z: 'tab',
        type: 'alink-service-in',
        device: 'device',
        identifier: 'drain',
        reply: 'flow',
        timeLimit: '5',
        wires: [['reply']],
      },
      {
        id: 'reply',
        z: 'tab',
        type: 'alink-service-reply',
        code: '200',
        codeType: 'num',
        message: '',
        messageType: 'str',
        value: 'payload',
        valueType: 'msg',
        wires: [],
      },
    ];
  }

  /** The next message of each device on topics of this kind, the names of the devices made the same. */
  async function pair(suffix: string, ours: () => void, their: () => void): Promise<[Sent, Sent]> {
    const since = emulator.exchanges.latest;
    const next = async (deviceName: string): Promise<Sent> => {
      const {
        topic = '',
        qos,
        text,
      } = await emulator.exchanges.waitFor(
        (exchange) =>
          exchange.kind === 'up' &&
          exchange.identity?.deviceName === deviceName &&
          exchange.topic?.includes(suffix) === true,
        { since },
      );
      return { topic: topic.replace(deviceName, '{dn}'), qos, body: JSON.parse(text) };
    };
    ours();
    their();
    return Promise.all([next('ours'), next('theirs')]);
  }

  function assertSame([ours, their]: [Sent, Sent]): void {
    assert.equal(ours.topic, their.topic);
    // They publish everything at QoS 0; the reference takes posts at QoS 1 (J.2).
    assert.deepEqual([ours.qos, their.qos], [1, 0]);
    const { id: ourId, sys, ...ourRest } = ours.body;
    const { id: theirId, ...theirRest } = their.body;
    // Ids are decimal text (B.0); theirs hold the topic of the answer (section J row 9).
    assert.match(String(ourId), /^\d{1,10}$/);
    assert.equal(typeof theirId, 'string');
    // We say that we want an answer, which is what its absence means.
    assert.deepEqual(sys, { ack: 1 });
    assert.deepEqual(ourRest, theirRest);
  }

  const send = (id: string, payload: unknown) => () => red.send(id, { payload });
  const ignore = () => undefined;

  it('property post', async () => {
    assertSame(
      await pair('/event/property/post', send('post', { level: 7 }), () =>
        theirs.postProps({ level: 7 }, ignore),
      ),
    );
  });

  it('event post', async () => {
    assertSame(
      await pair('/event/full/post', send('event', { level: 9 }), () =>
        theirs.postEvent('full', { value: { level: 9 } }, ignore),
      ),
    );
  });

  it('tags update and delete', async () => {
    const tags = [{ attrKey: 'hall', attrValue: '3' }];
    assertSame(await pair('/deviceinfo/update', send('tags', tags), () => theirs.postTags(tags, ignore)));
    assertSame(
      await pair('/deviceinfo/delete', send('untag', [{ attrKey: 'hall' }]), () =>
        theirs.deleteTags(['hall'], ignore),
      ),
    );
  });

  it('answer of an asynchronous service', async () => {
    theirs.onService('drain', ({ id, params }, reply) =>
      reply({ id, code: 200, data: { level: params.level as number } }),
    );
    await emulator.exchanges.waitFor(
      ({ kind, topic, identity }) =>
        identity?.deviceName === 'theirs' &&
        kind === 'subscribe' &&
        topic?.endsWith('/thing/service/drain') === true,
    );
    const cloud = cloudClient(emulator);
    const { InvokeThingsServiceRequest } = await import('@alicloud/iot20180120');
    const call = () => {
      void cloud.invokeThingsService(
        new InvokeThingsServiceRequest({
          productKey: PRODUCT_KEY,
          deviceName: ['ours', 'theirs'],
          identifier: 'drain',
          args: '{"level":4}',
        }),
      );
    };
    const [ours, their] = await pair('/thing/service/drain_reply', call, ignore);
    assert.equal(ours.topic, their.topic);
    const { id: ourId, ...ourRest } = ours.body;
    const { id: theirId, ...theirRest } = their.body;
    assert.deepEqual([typeof ourId, typeof theirId], ['string', 'string']);
    assert.deepEqual(ourRest, theirRest);
  });

  it('shadow get', async () => {
    const [ours, their] = await pair('/shadow/update/', send('shadow', { method: 'get' }), () =>
      theirs.getShadow(),
    );
    assert.equal(ours.topic, their.topic);
    assert.deepEqual(ours.body, their.body);
  });

  it('shadow update, with a version of each one’s own', async () => {
    const [ours, their] = await pair(
      '/shadow/update/',
      send('shadow', { method: 'update', state: { reported: { level: 1 } }, version: 1 }),
      () => theirs.postShadow({ level: 1 }),
    );
    // They take the time as version, which no other writer of the document can follow (B.2: one more than the last).
    assert.equal(ours.body.version, 1);
    assert.ok(Number(their.body.version) > 1e12);
    assert.deepEqual({ ...ours.body, version: 0 }, { ...their.body, version: 0 });
  });
});
