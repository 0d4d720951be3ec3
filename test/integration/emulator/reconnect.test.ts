import assert from 'node:assert/strict';
import type Iot from '@alicloud/iot20180120';
import * as models from '@alicloud/iot20180120';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { type Emulator, startEmulator } from '../../../emulator';
import { closeAllDevices, type Device, type IncomingRequest, openDevice, openRequests } from '../../../sdk';
import { cloudClient } from '../../support/cloud';
import { state } from '../../support/sdk-device';

const IDENTITY = { productKey: 'a1Workshop', deviceName: 'pump-1' };
const level = { type: 'int', specs: { min: '0', max: '1000' } };
const MODEL = {
  profile: { productKey: IDENTITY.productKey },
  properties: [
    { identifier: 'level', name: 'Level', accessMode: 'rw', dataType: level },
    { identifier: 'flow', name: 'Flow', accessMode: 'r', dataType: level },
  ],
  events: [],
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

/** Our SDK and the emulator, asked by the vendor's cloud SDK, while the connection comes and goes. */
describe('requests while the connection comes and goes', () => {
  let emulator: Emulator;
  let cloud: Iot;

  beforeEach(async () => {
    emulator = await startEmulator({ autoProvision: true });
    cloud = cloudClient(emulator);
  });

  afterEach(async () => {
    await closeAllDevices();
    await emulator.close();
    assert.equal(openRequests(), 0);
  });

  async function online(): Promise<{
    device: Device;
    requests: IncomingRequest[];
    next(): Promise<IncomingRequest>;
  }> {
    const { deviceSecret } = emulator.provisionDevice(IDENTITY, MODEL);
    const device = openDevice({
      identity: IDENTITY,
      platform: { kind: 'custom', host: '127.0.0.1' },
      transport: 'tcp',
      port: emulator.ports.mqtt ?? 0,
      authentication: { kind: 'deviceSecret', deviceSecret },
      thingModel: { mode: 'strict', document: MODEL },
      timing: { backoff: { first: 20, longest: 40 } },
    });
    const requests: IncomingRequest[] = [];
    let arrived: () => void = () => undefined;
    device.onRequest({ kind: 'service' }, (request) => {
      requests.push(request);
      arrived();
    });
    const next = async () => {
      if (requests.length === 0)
        await new Promise<void>((resolve) => {
          arrived = resolve;
        });
      return requests.shift() as IncomingRequest;
    };
    device.connect();
    await state(device, 'online');
    return { device, requests, next };
  }

  const drain = () =>
    cloud.invokeThingService(
      new models.InvokeThingServiceRequest({ ...IDENTITY, identifier: 'drain', args: '{"level":3}' }),
    );
  const told = async (since: number) => {
    const message = await emulator.messages.waitFor(
      ({ topic }) => topic.endsWith('/thing/downlink/reply/message'),
      { since },
    );
    return JSON.parse(message.text) as { code: number; data: unknown };
  };

  it('one that comes while the device is away is there when it is back', async () => {
    const { device, next } = await online();
    await emulator.faults.stopListening();
    emulator.faults.dropConnections();
    await state(device, 'waiting');
    await drain();
    await emulator.faults.startListening();
    const request = await next();
    assert.deepEqual(request.params, { level: 3 });
    const since = emulator.messages.latest;
    await request.answer({ data: { level: 1 } });
    const { code, data } = await told(since);
    assert.deepEqual([code, data], [200, { level: 1 }]);
  });

  it('one that is answered while the device is away is answered when it is back', async () => {
    const { device, next } = await online();
    await drain();
    const request = await next();
    await emulator.faults.stopListening();
    emulator.faults.dropConnections();
    await state(device, 'waiting');
    const since = emulator.messages.latest;
    const answered = request.answer({ data: { level: 2 } });
    await emulator.faults.startListening();
    await answered;
    assert.equal((await told(since)).code, 200);
  });

  it('one whose acknowledgement was lost is not carried out twice', async () => {
    const { device, next, requests } = await online();
    emulator.faults.add({
      match: { direction: 'down', operation: 'thing.service' },
      action: 'duplicate',
      times: 1,
    });
    const since = emulator.messages.latest;
    await drain();
    await (await next()).answer({ data: { level: 3 } });
    await told(since);
    await device.postProperties({ flow: 1 }); // whatever came before this has arrived
    assert.equal(requests.length, 0);
  });

  it('reads properties from what the device reported last', async () => {
    const { device } = await online();
    await device.postProperties({ flow: 7 });
    const get = (args: string) =>
      cloud.invokeThingService(
        new models.InvokeThingServiceRequest({ ...IDENTITY, identifier: 'get', args }),
      );
    const since = emulator.messages.latest;
    await get('["flow","level"]');
    assert.deepEqual((await told(since)).data, { flow: 7 });
    assert.equal((await get('["nothing"]')).body?.code, 'iot.thing.PropertyNotExisted');
    assert.equal((await get('{}')).body?.success, false);
  });
});
