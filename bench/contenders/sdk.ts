import type * as Sdk from '../../sdk';
import { serve } from '../contender';
import { PRODUCT_KEY, SECRET, THING_MODEL, values } from '../model';

// The built one, as users get it.
const { openDevice } = require('../../dist/sdk') as typeof Sdk;

/** Our SDK alone, with the thing-model check. The second argument chooses the QoS. */
void serve(async ({ host, port, deviceName }) => {
  const device = openDevice({
    identity: { productKey: PRODUCT_KEY, deviceName },
    platform: { kind: 'custom', host, ports: { tcp: port } },
    transport: 'tcp',
    authentication: { kind: 'deviceSecret', deviceSecret: SECRET },
    thingModel: { mode: 'strict', document: THING_MODEL },
  });
  const online = new Promise<void>((resolve) => device.onOnline(resolve));
  device.connect();
  await online;
  const options = process.argv[3] === '0' ? ({ qos: 0 } as const) : {};
  return {
    post: (count, done) => void device.postProperties(values(count), options).then(done, fail),
    stop: () => device.release(),
  };
});

function fail(error: unknown): never {
  console.error(error);
  process.exit(1);
}
