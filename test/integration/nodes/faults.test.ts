import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'mocha';
import { type Emulator, startEmulator } from '../../../emulator';
import {
  catchAll,
  device,
  GREENHOUSE_MODEL,
  lifecycle,
  propertyPost,
  sink,
  statusOf,
} from '../../support/flows';
import { type FlowNode, type Runtime, startRuntime } from '../../support/runtime';

const PRODUCT_KEY = 'a1Greenhouse';
const SECRET = '0123456789abcdef0123456789abcdef';

/** Devices of their own for each test, so that none waits for another's connection to be forgotten. */
const NAMES = Array.from({ length: 12 }, (_, i) => `house-${String(i + 1).padStart(2, '0')}`);

describe('faults, as a flow sees them', () => {
  let red: Runtime;
  let emulator: Emulator;
  let used = 0;

  before(async () => {
    emulator = await startEmulator({
      doors: { mqtt: 0, http: 0 },
      config: {
        products: [
          {
            productKey: PRODUCT_KEY,
            thingModel: GREENHOUSE_MODEL,
            devices: NAMES.map((deviceName) => ({ deviceName, deviceSecret: SECRET })),
          },
        ],
      },
    });
    red = await startRuntime();
  });
  afterEach(() => emulator.faults.clear());
  after(async () => {
    await red.stop();
    await emulator.close();
  });

  const platform = () => ({
    id: 'platform',
    type: 'alink-platform',
    kind: 'custom',
    host: '127.0.0.1',
    mqttPort: String(emulator.ports.mqtt),
    httpUrl: emulator.httpUrl,
  });

  function flow(extra: object = {}, credentials: object = { deviceSecret: SECRET }): FlowNode[] {
    const deviceName = NAMES[used++ % NAMES.length];
    return [
      platform(),
      { ...device({ deviceName, requestTimeout: '1', ...extra }), credentials },
      propertyPost(),
      lifecycle(),
      sink(),
      sink('states'),
      ...catchAll(),
      ...statusOf('post'),
    ];
  }

  async function online(nodes: FlowNode[]): Promise<void> {
    // The flow before may come back online meanwhile; its device has another name.
    const deviceName = nodes.find(({ id }) => id === 'device')?.deviceName;
    const state = red.next(
      'states',
      ({ payload, alink }) => payload === 'online' && alink?.deviceName === deviceName,
    );
    await red.deploy(nodes);
    await state;
  }

  async function post(): Promise<Awaited<ReturnType<Runtime['next']>>> {
    const answered = red.next('sink');
    red.send('post', { payload: { temperature: 20 } });
    return answered;
  }

  async function failedPost(): Promise<Awaited<ReturnType<Runtime['next']>>> {
    const caught = red.next('errors', (msg) => msg.error?.source.id === 'post');
    red.send('post', { payload: { temperature: 20 } });
    return caught;
  }

  it('a wrong secret: refused, with the reason in status and lifecycle', async () => {
    const state = red.next('states');
    const status = red.next('statuses', (msg) => msg.status?.fill === 'red');
    await red.deploy(flow({}, { deviceSecret: 'wrong' }));
    const msg = await state;
    assert.equal(msg.payload, 'refused');
    assert.equal(msg.alink?.code, 4);
    assert.match(String(msg.alink?.message), /DeviceSecret/);
    assert.match((await status).status?.text ?? '', /refused: wrong credentials/);
    assert.doesNotMatch(JSON.stringify([msg, await status]), /0123456789abcdef/);
  });

  it('an unknown device: refused', async () => {
    const state = red.next('states');
    await red.deploy(flow({ deviceName: 'nobody-knows' }));
    assert.equal((await state).payload, 'refused');
  });

  it('no secret at all: the node says which field is empty', async () => {
    const caught = red.next('errors', (msg) => msg.error?.source.id === 'post');
    await red.deploy(flow({}, { deviceSecret: '' }));
    const msg = await caught;
    assert.match(msg.error?.message ?? '', /deviceSecret is missing/i);
    const again = await failedPost();
    assert.equal(again.alink?.code, 'credentialsMissing');
  });

  it('the broker gone and back: what was sent meanwhile arrives, in order, with its own time', async () => {
    await online(flow({ requestTimeout: '15' }));
    const deviceName = String(NAMES[(used - 1) % NAMES.length]);
    const offline = red.next('states', (msg) => msg.payload === 'offline');
    await emulator.faults.stopListening();
    await offline;
    const waiting = red.next('statuses', (msg) => /3 waiting/.test(msg.status?.text ?? ''));
    const last = red.next('sink', (msg) => (msg.payload as { count: number }).count === 3, 15_000);
    for (const count of [1, 2, 3]) red.send('post', { payload: { count } });
    const before = Date.now();
    await waiting;
    await emulator.faults.startListening();
    assert.equal((await last).alink?.status, 'acknowledged');
    const history = emulator.devices.get({ productKey: PRODUCT_KEY, deviceName })?.history('count') ?? [];
    assert.deepEqual(
      history.map(({ value }) => value),
      [1, 2, 3],
    );
    assert.ok(history.every(({ time }) => Number(time) <= before + 50));
  });

  it('offline for longer than the time limit: each message fails and says so', async () => {
    await online(flow());
    const offline = red.next('states', (msg) => msg.payload === 'offline');
    await emulator.faults.stopListening();
    await offline;
    const msg = await failedPost();
    assert.equal(msg.alink?.code, 'waitingTimeout');
    assert.match(msg.error?.message ?? '', /offline.*not sent/);
  });

  it('a half-open connection: the message fails at its time limit, the next one works', async () => {
    await online(flow());
    emulator.faults.goSilent();
    assert.equal((await failedPost()).alink?.code, 'timeout');
    emulator.faults.goSilent(false);
    assert.equal((await post()).alink?.status, 'acknowledged');
  });

  it('a lost reply: the message fails, the next one works', async () => {
    await online(flow());
    emulator.faults.add({ action: 'loseReply', times: 1 });
    const msg = await failedPost();
    assert.equal(msg.alink?.code, 'timeout');
    assert.match(msg.error?.message ?? '', /did not acknowledge in 1 s/);
    assert.equal((await post()).alink?.status, 'acknowledged');
  });

  it('a malformed reply harms nobody', async () => {
    await online(flow());
    emulator.faults.add({ action: 'malformReply', times: 1 });
    assert.match(String((await failedPost()).alink?.code), /timeout|malformedReply/);
    assert.equal((await post()).alink?.status, 'acknowledged');
  });

  it('a refusal carries code, explanation and advice', async () => {
    await online(flow());
    emulator.faults.add({ action: 'refuse', code: 6106, times: 1 });
    const msg = await failedPost();
    assert.equal(msg.error?.code, 6106);
    assert.equal(msg.alink?.status, 'refused');
    assert.match(msg.error?.message ?? '', /6106.*200 properties/);
  });

  it('two clients with one identity: gives way, says so, and stops fighting', async function () {
    this.timeout(40_000);
    const nodes = flow();
    const deviceName = String(NAMES[(used - 1) % NAMES.length]);
    await online(nodes);
    const conflict = red.next('states', (msg) => msg.payload === 'conflict', 30_000);
    const kick = (msg: { payload?: unknown }) => {
      if (msg.payload === 'online') emulator.faults.kick({ productKey: PRODUCT_KEY, deviceName });
    };
    red.events.on('test-sink:states', kick);
    emulator.faults.kick({ productKey: PRODUCT_KEY, deviceName });
    const msg = await conflict;
    red.events.off('test-sink:states', kick);
    assert.ok(Number(msg.alink?.retryAt) > Date.now() + 200_000, 'it comes back after minutes');
    assert.match(String(msg.alink?.message), /same ProductKey and DeviceName/);
  });

  it('a deploy while connecting leaves one connection, which works', async () => {
    const nodes = flow();
    emulator.faults.goSilent();
    await red.deploy(nodes);
    await red.deploy(nodes.map((node) => (node.id === 'device' ? { ...node, keepAlive: '120' } : node)));
    emulator.faults.goSilent(false);
    await online(nodes);
    assert.equal((await post()).alink?.status, 'acknowledged');
  });

  it('messages in flight when the node is deployed anew end with an error, once', async () => {
    const nodes = flow({ requestTimeout: '10' });
    await online(nodes);
    emulator.faults.add({ action: 'loseReply', times: 1 });
    red.send('post', { payload: { temperature: 1 } });
    await emulator.exchanges.waitFor((exchange) => exchange.operation === 'thing.event.property.post');
    await red.deploy(nodes);
    assert.equal((await post()).alink?.status, 'acknowledged');
  });
});
