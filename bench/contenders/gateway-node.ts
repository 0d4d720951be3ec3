import type { Device } from '../../sdk';
import { device, propertyPost, sink } from '../../test/support/flows';
import { type FlowNode, startRuntime } from '../../test/support/runtime';
import { AllOnline } from '../all-online';
import { type GatewayTarget, serveGateway, subDeviceName } from '../gateway-contender';
import { PRODUCT_KEY, SECRET, THING_MODEL, values } from '../model';
import { awaitSink } from '../sink';

/**
 * Our nodes in a real Node-RED. The second argument says how sub-devices come to be: `login` by a message that names
 * them, or `config` by a config node each, with a thing model that is checked; with `posts` behind it each of those
 * has a node of its own that reports.
 */
void serveGateway(async ({ host, port, deviceName, loginsPerSecond }: GatewayTarget) => {
  const configured = process.argv[3] === 'config';
  const reporting = process.argv[4] === 'posts';
  const red = await startRuntime();
  const identity = (index: number) => ({
    productKey: PRODUCT_KEY,
    deviceName: subDeviceName(deviceName, index),
  });
  const thingModel = JSON.stringify(THING_MODEL);
  const gateway = [
    { id: 'platform', type: 'alink-platform', kind: 'custom', host, mqttPort: String(port) },
    {
      ...device({ productKey: PRODUCT_KEY, deviceName, thingModel, role: 'gateway', loginsPerSecond }),
      credentials: { deviceSecret: SECRET },
    },
    propertyPost({ packWindow: '0' }),
    propertyPost({ id: 'pack', packWindow: '50' }),
    { id: 'login', z: 'tab', type: 'alink-subdevice-login', device: 'device', action: 'login', wires: [[]] },
    sink(),
  ];
  const subDevice = (index: number): FlowNode[] => [
    {
      ...device({ id: `sub-${index}`, ...identity(index), role: 'subDevice', gateway: 'device', thingModel }),
      credentials: { deviceSecret: SECRET },
    },
    ...(reporting ? [propertyPost({ id: `post-${index}`, device: `sub-${index}` })] : []),
  ];
  const expect = awaitSink(red);
  let online: AllOnline | undefined;
  let there = 0;

  /** A handle like any node's, only to see who is online. */
  const watch = async (): Promise<AllOnline> => {
    const { open } = red.node('device') as unknown as { open(): Promise<Device> };
    const opened = await open();
    if (opened.gateway === undefined) throw new Error('this is no gateway');
    return new AllOnline(opened.gateway);
  };

  return {
    online: async (count, begun) => {
      const configNodes = configured ? Array.from({ length: count }, (_, i) => subDevice(i)).flat() : [];
      if (configured || online === undefined) await red.deploy([...gateway, ...configNodes], 'nodes');
      begun();
      if (!configured) {
        const deviceSecret = SECRET;
        const payload = Array.from({ length: count - there }, (_, i) => ({
          ...identity(there + i),
          deviceSecret,
        }));
        red.send('login', { payload });
      }
      there = count;
      online ??= await watch();
      await online.reached(count);
    },
    post: (index, packed, count, done) => {
      expect(count, done);
      const message = { payload: values(count), bench: count };
      if (reporting && !packed) red.send(`post-${index}`, message);
      else red.send(packed ? 'pack' : 'post', { ...message, device: identity(index) });
    },
    back: async () => online?.back(),
    stop: () => red.stop(),
  };
});
