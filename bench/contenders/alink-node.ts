import { device, propertyPost, sink } from '../../test/support/flows';
import { startRuntime } from '../../test/support/runtime';
import { serve } from '../contender';
import { PRODUCT_KEY, SECRET, THING_MODEL, values } from '../model';
import { awaitSink } from '../sink';

/** Our node in a real Node-RED, strict thing-model check on. */
void serve(async ({ host, port, deviceName }) => {
  const red = await startRuntime();
  await red.deploy([
    { id: 'platform', type: 'alink-platform', kind: 'custom', host, mqttPort: String(port) },
    {
      ...device({ productKey: PRODUCT_KEY, deviceName, thingModel: JSON.stringify(THING_MODEL) }),
      credentials: { deviceSecret: SECRET },
    },
    propertyPost(),
    sink(),
  ]);
  const expect = awaitSink(red);
  await new Promise<void>((resolve) => {
    expect(-1, resolve);
    red.send('post', { payload: values(0), bench: -1 });
  });
  return {
    post: (count, done) => {
      expect(count, done);
      red.send('post', { payload: values(count), bench: count });
    },
    stop: () => red.stop(),
  };
});
