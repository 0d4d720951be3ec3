import { median } from './contender';
import {
  type GatewayRun,
  type GatewayTarget,
  type LoopDelay,
  type Memory,
  type Online,
  subDeviceName,
} from './gateway-contender';
import { type BenchEmulator, type BenchProcess, startEmulatorProcess, startProcess } from './processes';
import { row, table } from './table';

const CONTENDERS = {
  login: ['gateway-node', 'our nodes, sub-devices logged in by message', 'login'],
  config: ['gateway-node', 'our nodes, a config node each', 'config', 'posts'],
  sdk: ['gateway-sdk', 'our SDK'],
  official: ['gateway-official', 'official SDK, QoS 0'],
} as const;
type Name = keyof typeof CONTENDERS;
const NAMES = Object.keys(CONTENDERS) as Name[];
const OURS = NAMES.filter((name) => name !== 'official');
const title = (name: Name) => CONTENDERS[name][1];
/** What is reported how: levels of messages in flight. */
const POSTS = [
  { packed: false, inFlight: 16 },
  { packed: false, inFlight: 256 },
  { packed: true, inFlight: 256 },
] as const;
type Posts = (typeof POSTS)[number];

/** The official SDK makes 16 subscriptions for each sub-device, which the platform would not take from one device. */
const ROOM = { subscriptionsPerSession: 100_000 };
const NO_LIMITS = { ...ROOM, loginsPerSecond: 0, loginsPerMinute: 0 };
const PLATFORM_LOGINS = 200;
/** A little below, as our SDK does by itself. */
const LOGINS_PER_SECOND = 190;

interface Settings {
  subDevices: number;
  rounds: number;
  postRounds: number;
  ms: number;
}

interface Started {
  first: Online;
  online: Online[];
  back: Online[];
}

/** A plant of sub-devices behind one gateway on one connection (issue: gateway). */
export async function measureGateways(quick: boolean): Promise<void> {
  const settings = {
    subDevices: quick ? 300 : 1500,
    rounds: quick ? 1 : 3,
    postRounds: quick ? 1 : 7,
    ms: 1000,
  };
  const { subDevices } = settings;
  const free = await startEmulator(subDevices, NO_LIMITS);
  try {
    const { started, posts } = await withoutLimits(free, settings);
    const memory = await measureMemory(free, subDevices);
    const limited = await withLimits(subDevices);
    printOnline(started, limited, subDevices);
    printPosts(posts, subDevices);
    printMemory(memory, subDevices);
    printAims({ started, limited, posts, memory }, subDevices);
  } finally {
    await free.stop();
  }
}

function startEmulator(subDevices: number, limits: Record<string, number>): Promise<BenchEmulator> {
  const gateways = NAMES.flatMap((name) => [
    gatewayOf(name),
    gatewayOf(name, 'one'),
    gatewayOf(name, 'memory'),
  ]);
  const behind = gateways.flatMap((gateway) =>
    Array.from({ length: gateway.endsWith('-one') ? 1 : subDevices }, (_, i) => subDeviceName(gateway, i)),
  );
  return startEmulatorProcess([...gateways, ...behind], limits);
}

function gatewayOf(name: Name, purpose = ''): string {
  return purpose === '' ? `gw-${name}` : `gw-${name}-${purpose}`;
}

function start(
  emulator: BenchEmulator,
  name: Name,
  deviceName: string,
  { loginsPerSecond = 0, idle = false } = {},
): Promise<BenchProcess> {
  const [file, , kind = '', flow = ''] = CONTENDERS[name];
  const more = [kind, idle ? '' : flow].filter((argument) => argument !== '');
  const { host, port, http } = emulator;
  const target: GatewayTarget = { host, port, http, deviceName, loginsPerSecond };
  return startProcess(file, target, ...more);
}

type Gateways = Map<Name, BenchProcess>;
type PostResults = Map<string, GatewayRun[]>;
const keyOf = (name: Name, { packed, inFlight }: Posts, devices: number) =>
  `${name} ${packed} ${inFlight} ${devices}`;

async function withoutLimits(emulator: BenchEmulator, settings: Settings) {
  const { subDevices: count, rounds } = settings;
  const started = new Map<Name, Started>();
  const ones: Gateways = new Map();
  const all: Gateways = new Map();
  try {
    for (const name of NAMES) {
      const gateway = await start(emulator, name, gatewayOf(name));
      const first = await gateway.order<Online>({ type: 'online', count });
      await gateway.stop();
      started.set(name, { first, online: [], back: [] });
    }
    // In turn, so that a change of the machine's speed strikes all alike.
    for (let round = 1; round <= rounds; round++) {
      for (const [name, results] of started) {
        const gateway = await start(emulator, name, gatewayOf(name));
        all.set(name, gateway);
        results.online.push(await gateway.order<Online>({ type: 'online', count }));
        results.back.push(await gateway.order<Online>({ type: 'cut' }));
        if (round < rounds) await gateway.stop();
      }
    }
    for (const name of NAMES) {
      const gateway = await start(emulator, name, gatewayOf(name, 'one'));
      ones.set(name, gateway);
      await gateway.order<Online>({ type: 'online', count: 1 });
    }
    return { started, posts: await measurePosts(ones, all, settings) };
  } finally {
    for (const gateway of [...ones.values(), ...all.values()]) await gateway.stop();
  }
}

async function measurePosts(ones: Gateways, all: Gateways, settings: Settings): Promise<PostResults> {
  const samples: PostResults = new Map();
  for (const posts of POSTS) {
    const ways = NAMES.flatMap((name) => [
      ...way(name, posts, ones.get(name), 1),
      ...way(name, posts, all.get(name), settings.subDevices),
    ]);
    for (const { gateway, devices } of ways) {
      await gateway.order({ type: 'posts', devices, ...posts, ms: settings.ms }); // warm-up
    }
    // One and all of a contender directly after each other, because they are compared most closely.
    for (let round = 0; round < settings.postRounds; round++) {
      for (const { key, gateway, devices } of ways) {
        const run = await gateway.order<GatewayRun>({ type: 'posts', devices, ...posts, ms: settings.ms });
        samples.set(key, [...(samples.get(key) ?? []), run]);
      }
    }
  }
  return samples;
}

/** The official SDK does not pack, and one sub-device has nobody to be packed with. */
function way(name: Name, posts: Posts, gateway: BenchProcess | undefined, devices: number) {
  if (gateway === undefined || (posts.packed && (name === 'official' || devices === 1))) return [];
  return [{ key: keyOf(name, posts, devices), gateway, devices }];
}

/** The middle of the rounds. */
function resultOf(results: PostResults, key: string): GatewayRun | undefined {
  const runs = results.get(key);
  return runs && { ...median(runs), ...delays(runs) };
}

/** How the rates of two compare, round by round, so that a change of the machine's speed strikes both. */
function compare(results: PostResults, key: string, other: string): number {
  const others = results.get(other) ?? [];
  return middleOf((results.get(key) ?? []).map(({ rate }, i) => rate / (others[i]?.rate ?? Number.NaN)));
}

/** What a message about a sub-device passes at a gateway's node always goes through the packer. */
function howOf(name: Name, { packed }: Posts): string {
  if (packed) return ', packed within 50 ms';
  return name === 'login' ? ', packed at once' : '';
}

async function withLimits(count: number): Promise<Map<Name, { online: Online; back: Online }>> {
  const emulator = await startEmulator(count, ROOM);
  try {
    const results = new Map<Name, { online: Online; back: Online }>();
    for (const name of NAMES) {
      const gateway = await start(emulator, name, gatewayOf(name), { loginsPerSecond: LOGINS_PER_SECOND });
      const online = await gateway.order<Online>({ type: 'online', count });
      const back = await gateway.order<Online>({ type: 'cut' });
      results.set(name, { online, back });
      await gateway.stop();
    }
    return results;
  } finally {
    await emulator.stop();
  }
}

async function measureMemory(emulator: BenchEmulator, count: number): Promise<Map<Name, Memory>> {
  const results = new Map<Name, Memory>();
  for (const name of NAMES) {
    const gateway = await start(emulator, name, gatewayOf(name, 'memory'), { idle: true });
    await gateway.order({ type: 'online', count: 1 });
    const before = await gateway.order<Memory>({ type: 'memory' });
    await gateway.order({ type: 'online', count });
    const after = await gateway.order<Memory>({ type: 'memory' });
    await gateway.stop();
    const each = (key: 'heap' | 'rss') => (after[key] - before[key]) / (count - 1);
    results.set(name, { heap: each('heap'), rss: each('rss') });
  }
  return results;
}

/** The middle of the 99th percentiles; of the longest delays the longest. */
function delays(list: readonly LoopDelay[]): LoopDelay {
  return {
    delayP99: middleOf(list.map(({ delayP99 }) => delayP99)),
    delayMax: Math.max(...list.map(({ delayMax }) => delayMax)),
  };
}

function middleOf(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function middle(list: readonly Online[]): Online {
  const of = (key: 'seconds' | 'cpu') => middleOf(list.map((one) => one[key]));
  return { seconds: of('seconds'), cpu: of('cpu'), ...delays(list) };
}

type Limited = Awaited<ReturnType<typeof withLimits>>;

function printOnline(started: ReadonlyMap<Name, Started>, limited: Limited, count: number): void {
  const line = (name: Name, what: string, { seconds, cpu, delayP99, delayMax }: Online) => [
    title(name),
    what,
    seconds.toFixed(2),
    cpu.toFixed(0),
    delayP99.toFixed(1),
    delayMax.toFixed(1),
  ];
  table(
    [`${count} sub-devices behind one gateway`, '', 'seconds', 'CPU ms', 'loop p99 ms', 'loop max ms'],
    NAMES.flatMap((name) => {
      const { first, online, back } = started.get(name) ?? { first: middle([]), online: [], back: [] };
      const slow = limited.get(name);
      return [
        line(name, 'first start, topology to be added', first),
        line(name, 'connect to all online', middle(online)),
        line(name, 'cut to all back', middle(back)),
        ...(slow
          ? [
              line(name, 'connect to all online, 200 logins/s', slow.online),
              line(name, 'cut to all back, 200 logins/s', slow.back),
            ]
          : []),
      ];
    }),
  );
}

function printPosts(results: PostResults, count: number): void {
  const lines = NAMES.flatMap((name) =>
    POSTS.flatMap((posts) =>
      [1, count].flatMap((devices) => {
        const run = resultOf(results, keyOf(name, posts, devices));
        if (run === undefined) return [];
        const { rate, p50, p99, cpu, delayP99, delayMax } = run;
        return [
          [
            `${title(name)}${howOf(name, posts)}`,
            String(devices),
            String(posts.inFlight),
            rate.toFixed(0),
            p50.toFixed(2),
            p99.toFixed(2),
            cpu.toFixed(1),
            delayP99.toFixed(1),
            delayMax.toFixed(1),
          ],
        ];
      }),
    ),
  );
  const head = [
    'sub-devices',
    'in flight',
    'per s',
    'p50 ms',
    'p99 ms',
    'CPU µs each',
    'loop p99 ms',
    'loop max ms',
  ];
  table(['Reports of sub-devices acknowledged', ...head], lines);
}

function printMemory(results: ReadonlyMap<Name, Memory>, count: number): void {
  table(
    [`Memory, ${count} sub-devices online`, 'heap KB each', 'resident KB each'],
    [...results].map(([name, { heap, rss }]) => [
      title(name),
      (heap / 1024).toFixed(1),
      (rss / 1024).toFixed(1),
    ]),
  );
}

interface Results {
  started: ReadonlyMap<Name, Started>;
  limited: Limited;
  posts: PostResults;
  memory: ReadonlyMap<Name, Memory>;
}

function printAims({ started, limited, posts, memory }: Results, count: number): void {
  const all = `${count}`;
  const online = (name: Name) => middle(started.get(name)?.online ?? []);
  const back = (name: Name) => middle(started.get(name)?.back ?? []);
  const alone = (kind: Posts): Posts => ({ ...kind, packed: false }) as Posts;
  const loop = (name: Name) =>
    Math.max(
      online(name).delayP99,
      back(name).delayP99,
      ...POSTS.map((kind) => resultOf(posts, keyOf(name, kind, count))?.delayP99 ?? 0),
    );
  const allowed = count / PLATFORM_LOGINS;
  table(
    ['Aim', 'sub-devices', 'measured', 'aim', ''],
    OURS.flatMap((name) => [
      row(`${title(name)}: s to all online`, all, online(name).seconds, '≤', 1),
      row(
        `… of the time that 200 logins/s take`,
        all,
        (limited.get(name)?.online.seconds ?? Number.NaN) / allowed,
        '≤',
        1.1,
      ),
      ...POSTS.filter(({ packed }) => packed || name !== 'login').map((kind) =>
        row(
          `… posts with all${kind.packed ? ', packed,' : ''} : with one, ${kind.inFlight} in flight`,
          all,
          compare(posts, keyOf(name, kind, count), keyOf(name, alone(kind), 1)),
          '≥',
          0.8,
        ),
      ),
      row('… KB each', all, (memory.get(name)?.heap ?? Number.NaN) / 1024, '≤', 20),
      row('… event loop delay p99, ms', all, loop(name), '≤', 50),
    ]),
  );
  table(
    ['Ratio to the official SDK', 'sub-devices', 'measured'],
    OURS.flatMap((name) => [
      [
        `${title(name)}: time to all online`,
        all,
        (online(name).seconds / online('official').seconds).toFixed(3),
      ],
      ...POSTS.map((kind) => {
        const ratio = compare(posts, keyOf(name, kind, count), keyOf('official', alone(kind), count));
        const how = kind.packed ? ', packed' : '';
        return [`… posts, ${kind.inFlight} in flight${how}`, all, ratio.toFixed(1)];
      }),
      [
        '… memory',
        all,
        ((memory.get(name)?.heap ?? Number.NaN) / (memory.get('official')?.heap ?? Number.NaN)).toFixed(2),
      ],
    ]),
  );
}
