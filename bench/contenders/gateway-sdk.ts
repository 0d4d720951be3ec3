import type * as Sdk from '../../sdk';
import { AllOnline } from '../all-online';
import { type GatewayTarget, serveGateway, subDeviceName } from '../gateway-contender';
import { PRODUCT_KEY, SECRET, THING_MODEL, values } from '../model';

// The built one, as users get it.
const { closeAllDevices, openDevice, openSubDevice } = require('../../dist/sdk') as typeof Sdk;

/** Our SDK alone, with the thing-model check. */
void serveGateway(async ({ host, port, deviceName, loginsPerSecond }: GatewayTarget) => {
  const thingModel = { mode: 'strict', document: THING_MODEL } as const;
  const options: Sdk.DeviceOptions = {
    identity: { productKey: PRODUCT_KEY, deviceName },
    platform: { kind: 'custom', host, ports: { tcp: port } },
    transport: 'tcp',
    authentication: { kind: 'deviceSecret', deviceSecret: SECRET },
    gateway: { loginsPerSecond },
    thingModel,
  };
  const device = openDevice(options);
  const { gateway } = device;
  if (gateway === undefined) throw new Error('this is no gateway');
  const online = new AllOnline(gateway);
  const subDevices: Sdk.Device[] = [];

  return {
    online: async (count, begun) => {
      begun();
      device.connect();
      for (let index = subDevices.length; index < count; index++) {
        const subDevice = openSubDevice({
          identity: { productKey: PRODUCT_KEY, deviceName: subDeviceName(deviceName, index) },
          gateway: options,
          authentication: { kind: 'deviceSecret', deviceSecret: SECRET },
          thingModel,
        });
        subDevices.push(subDevice);
        subDevice.connect();
      }
      await online.reached(count);
    },
    post: (index, packed, count, done) => {
      const subDevice = subDevices[index];
      if (subDevice === undefined) throw new Error(`there is no sub-device ${index}`);
      const report = packed
        ? gateway.postProperties(subDevice.identity, values(count))
        : subDevice.postProperties(values(count));
      report.then(done, fail);
    },
    back: () => online.back(),
    stop: () => closeAllDevices(),
  };
});

function fail(error: unknown): never {
  console.error(error);
  process.exit(1);
}
