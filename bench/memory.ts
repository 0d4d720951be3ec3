import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { device, propertyPost } from '../test/support/flows';
import { type FlowNode, startRuntime } from '../test/support/runtime';
import { PRODUCT_KEY, SECRET, type Target } from './model';

/** Run as a process: memory of idle devices, each with a node, in one real Node-RED. Prints bytes a device as JSON. */
async function main(): Promise<void> {
  const target = JSON.parse(process.argv[2] ?? '{}') as Target;
  const names = JSON.parse(process.argv[3] ?? '[]') as string[];
  const red = await startRuntime();
  const platform = {
    id: 'platform',
    type: 'alink-platform',
    kind: 'custom',
    host: target.host,
    mqttPort: String(target.port),
  };
  const oneDevice = (deviceName: string): FlowNode[] => [
    {
      ...device({
        id: `d-${deviceName}`,
        productKey: PRODUCT_KEY,
        deviceName,
        thingModelSource: 'none',
        thingModelMode: 'off',
      }),
      credentials: { deviceSecret: SECRET },
    },
    propertyPost({ id: `p-${deviceName}`, device: `d-${deviceName}`, wires: [[]] }),
  ];
  const [first = '', ...others] = names;
  await online(red, [platform, ...oneDevice(first)], [first]);
  const before = used();
  await online(red, [platform, ...names.flatMap(oneDevice)], others);
  const after = used();
  process.send?.({
    type: 'result',
    bytes: (after.heap - before.heap) / others.length,
    rss: (after.rss - before.rss) / others.length,
  });
  process.exit(0);
}

type Red = Awaited<ReturnType<typeof startRuntime>>;

async function online(red: Red, flow: FlowNode[], names: readonly string[]): Promise<void> {
  const waiting = new Set(names.map((name) => `p-${name}`));
  const all = new Promise<void>((done) => {
    // Every status goes by here on its way to the editor.
    const listen = ({ id, status }: { id: string; status: { fill?: string } }) => {
      if (status.fill !== 'green' || !waiting.delete(id) || waiting.size > 0) return;
      red.events.off('node-status', listen);
      done();
    };
    red.events.on('node-status', listen);
  });
  await red.deploy(flow);
  await all;
}

function used(): { heap: number; rss: number } {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let i = 0; i < 4; i++) collect();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: heapUsed + external, rss };
}

void main();
