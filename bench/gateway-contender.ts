import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { measure, type RunResult } from './contender';
import { PRODUCT_KEY, type Target } from './model';

export interface GatewayTarget extends Target {
  /** Address of the emulator's panel, which cuts the connection. */
  http: string;
  /** Sub-devices that a gateway logs in a second, at most; 0: as fast as it goes. */
  loginsPerSecond: number;
}

/** One way of being a gateway. Sub-devices are told apart by their place in the list of names. */
export interface GatewayContender {
  /**
   * Connects, and resolves when the first `count` sub-devices are online. A later, higher count adds to them.
   * @param begun called when it begins to connect; the time counts from here
   */
  online(count: number, begun: () => void): Promise<void>;
  /** Reports for one of them; `done` when the platform has answered. */
  post(index: number, packed: boolean, count: number, done: () => void): void;
  /** Called before the connection is cut; resolves when all are online again. */
  back(): Promise<void>;
  stop(): Promise<void>;
}

/** ms: what monitorEventLoopDelay saw while something was done. */
export interface LoopDelay {
  delayP99: number;
  delayMax: number;
}

export interface Online extends LoopDelay {
  seconds: number;
  /** CPU of this process, ms. */
  cpu: number;
}

export interface GatewayRun extends RunResult, LoopDelay {}

export interface Memory {
  /** Heap and external memory after a collection, bytes. */
  heap: number;
  rss: number;
}

export type GatewayOrder =
  | { type: 'online'; count: number }
  | { type: 'posts'; devices: number; packed: boolean; inFlight: number; ms: number }
  | { type: 'cut' }
  | { type: 'memory' };

export const subDeviceName = (gateway: string, index: number) =>
  `${gateway}-${String(index).padStart(4, '0')}`;

/** Runs in the contender's own process; see `GatewayOrder` for what it is told. */
export async function serveGateway(
  start: (target: GatewayTarget) => Promise<GatewayContender>,
): Promise<void> {
  const target = JSON.parse(process.argv[2] ?? '{}') as GatewayTarget;
  const contender = await start(target);
  process.on('message', (order: GatewayOrder | { type: 'stop' }) => {
    if (order.type === 'stop') {
      void contender.stop().finally(() => process.exit(0));
      return;
    }
    void obey(contender, order, target).then((result) => process.send?.({ ...result, type: 'result' }));
  });
  process.send?.({ type: 'ready' });
}

async function obey(
  contender: GatewayContender,
  order: GatewayOrder,
  target: GatewayTarget,
): Promise<Online | GatewayRun | Memory> {
  switch (order.type) {
    case 'online':
      return timed((begun) => contender.online(order.count, begun));
    case 'posts':
      return posts(contender, order);
    case 'cut':
      return timed(() => cut(contender, target));
    case 'memory':
      return used();
  }
}

async function timed(work: (begun: () => void) => Promise<void>): Promise<Online> {
  let [delay, cpuBefore, startedAt] = [watchLoop(), process.cpuUsage(), performance.now()];
  await work(() => {
    delay();
    [delay, cpuBefore, startedAt] = [watchLoop(), process.cpuUsage(), performance.now()];
  });
  const seconds = (performance.now() - startedAt) / 1000;
  const { user, system } = process.cpuUsage(cpuBefore);
  return { seconds, cpu: (user + system) / 1000, ...delay() };
}

async function posts(
  contender: GatewayContender,
  { devices, packed, inFlight, ms }: GatewayOrder & { type: 'posts' },
): Promise<GatewayRun> {
  const delay = watchLoop();
  const post = (count: number, done: () => void) => contender.post(count % devices, packed, count, done);
  const result = await measure({ post }, { inFlight, ms });
  return { ...result, ...delay() };
}

/** The platform closes the gateway's connection, as it does when the network loses it. */
async function cut(contender: GatewayContender, { http, deviceName }: GatewayTarget): Promise<void> {
  const back = contender.back();
  const body = JSON.stringify({ command: 'kick', productKey: PRODUCT_KEY, deviceName });
  const answer = await fetch(new URL('/emulator/faults', http), { method: 'POST', body });
  if (!answer.ok) throw new Error(`the emulator does not kick ${deviceName}: ${await answer.text()}`);
  await back;
}

function watchLoop(): () => LoopDelay {
  const histogram = monitorEventLoopDelay({ resolution: 1 });
  histogram.enable();
  return () => {
    histogram.disable();
    return { delayP99: histogram.percentile(99) / 1e6, delayMax: histogram.max / 1e6 };
  };
}

function used(): Memory {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let i = 0; i < 4; i++) collect();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: heapUsed + external, rss };
}
