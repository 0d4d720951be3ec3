import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'mocha';
import type { AlinkError, Gateway, SubDeviceResult } from '../../../sdk';
import { catchAll, sink, statusOf } from '../../support/flows';
import { MadeUpGateway } from '../../support/made-up-gateway';
import { type FlowMessage, type FlowNode, type Runtime, startRuntime } from '../../support/runtime';
import { subDeviceLogin, topo } from '../../support/topo-nodes';

const [FIRST, SECOND, THIRD] = ['meter-01', 'meter-02', 'meter-03'].map((deviceName) => ({
  productKey: 'a1Meter',
  deviceName,
})) as [Named, Named, Named];
const SECRET = 'secret-of-a-sub-device-0123456789';
const refused = (code: number) =>
  failure('platformRefused', `code ${code}`, { code, details: { operation: 'thing.topo.add' } });
const well = (devices: ReadonlyArray<{ identity: Named }>): SubDeviceResult[] =>
  devices.map(({ identity }) => ({ identity }));

/** Of the class that the nodes know, which is that of the built package. */
function failure(...given: ConstructorParameters<typeof AlinkError>): AlinkError {
  const built = require('../../../dist/sdk') as { AlinkError: typeof AlinkError };
  return new built.AlinkError(...given);
}

interface Named {
  productKey: string;
  deviceName: string;
}

/** The nodes' own part, with a gateway that does what the test says; the real one is in topo.test.ts. */
describe('messages about sub-devices', () => {
  let red: Runtime;
  let gateway: MadeUpGateway;
  let used = 0;
  before(async () => {
    red = await startRuntime();
  });
  after(() => red.stop());
  beforeEach(() => {
    gateway = new MadeUpGateway(red.events, `gateway-${used++}`);
  });

  async function deploy(node: FlowNode, does: Partial<Gateway> = {}): Promise<void> {
    gateway.does = does;
    const online = red.next('statuses', ({ status }) => status?.fill !== undefined);
    await red.deploy([
      { id: gateway.nodeId, type: 'test-gateway' },
      { ...node, device: gateway.nodeId },
      sink(),
      ...catchAll(),
      ...statusOf(node.id),
    ]);
    await online;
  }

  /** What comes out at the given sink of a message that is sent into the node. */
  async function through(msg: object, at = 'sink', id = 'topo'): Promise<FlowMessage> {
    const out = red.next(at);
    red.send(id, msg);
    return out;
  }

  it('become one result for each, in their order; what fails holds up nothing and is seen', async () => {
    await deploy(topo(), {
      addTopology: async (devices) =>
        well(devices)
          .reverse()
          .map((result) =>
            result.identity.deviceName === 'meter-02' ? { ...result, error: refused(6401) } : result,
          ),
    });
    const yellow = red.next('statuses', ({ status }) => status?.text === '2 of 4 failed');
    const { payload, alink, device } = await through({
      payload: [FIRST, SECOND, 'nameless', THIRD],
      room: 7,
    });
    assert.deepEqual(
      (payload as Array<{ deviceName: string; ok: boolean; code?: unknown }>).map(
        ({ deviceName, ok, code }) => [deviceName, ok, code],
      ),
      [
        ['meter-01', true, undefined],
        ['meter-02', false, 6401],
        ['nameless', false, 'invalidInput'],
        ['meter-03', true, undefined],
      ],
    );
    assert.equal((await yellow).status?.fill, 'yellow');
    const { problems, ...rest } = alink ?? {};
    assert.deepEqual(rest, {
      status: 'acknowledged',
      method: 'thing.topo.add',
      code: 200,
      ...gateway.identity,
    });
    assert.deepEqual(
      (problems as string[]).map((problem) => problem.split(':')[0]),
      ['a1Meter/meter-02', '?/nameless'],
    );
    assert.equal(device, undefined);
    // The next message that goes well takes the warning away.
    const green = red.next('statuses', ({ status }) => status?.fill === 'green');
    await through({ payload: FIRST });
    await green;
  });

  it('are an error when nothing goes well, with every result', async () => {
    await deploy(topo(), {
      addTopology: async (devices) => well(devices).map((result) => ({ ...result, error: refused(6402) })),
    });
    const { error, payload, alink } = await through({ payload: [FIRST, SECOND] }, 'errors');
    assert.equal(error?.code, 6402);
    assert.match(error?.message ?? '', /^None of the 2 sub-devices\. a1Meter\/meter-01: .*6402/);
    assert.deepEqual(
      (payload as Array<{ ok: boolean }>).map(({ ok }) => ok),
      [false, false],
    );
    assert.equal(alink?.status, 'refused');
    assert.ok(Array.isArray(alink?.problems) && alink.problems.length === 2);
    const one = await through({ payload: FIRST }, 'errors');
    assert.doesNotMatch(one.error?.message ?? '', /None of/);
  });

  it('that all fail for one reason say it for each', async () => {
    const deleteTopology = () => Promise.reject(failure('disconnected', 'lost'));
    await deploy(topo({ action: 'delete' }), { deleteTopology });
    const { error, payload } = await through({ payload: [FIRST, SECOND] }, 'errors');
    assert.equal(error?.code, 'disconnected');
    assert.deepEqual(
      (payload as Array<{ code: unknown }>).map(({ code }) => code),
      ['disconnected', 'disconnected'],
    );
  });

  it('may be none at all, which asks nothing of the platform', async () => {
    await deploy(topo());
    const { payload, alink } = await through({ payload: [] });
    assert.deepEqual(payload, []);
    assert.equal(alink?.status, 'acknowledged');
  });

  it('name the device that comes next, when it is one', async () => {
    await deploy(topo({ productKey: 'a1Meter' }), { addTopology: async (devices) => well(devices) });
    const { device, alink, payload } = await through({ payload: { deviceName: 'meter-01' } });
    assert.deepEqual(device, FIRST);
    assert.deepEqual([alink?.productKey, alink?.deviceName], ['a1Meter', 'meter-01']);
    assert.deepEqual(payload, [{ ...FIRST, ok: true }]);
  });

  it('may be named by msg.device, or by any property', async () => {
    const does: Partial<Gateway> = {
      deleteTopology: async (devices) => devices.map((identity) => ({ identity })),
    };
    await deploy(topo({ action: 'delete' }), does);
    const named = await through({ payload: 21.5, device: SECOND });
    assert.deepEqual(named.payload, [{ ...SECOND, ok: true }]);
    await deploy(topo({ action: 'delete', value: 'found.list' }), does);
    const found = await through({ payload: 'kept until now', found: { list: [THIRD], more: 1 } });
    assert.deepEqual(found.payload, [{ ...THIRD, ok: true }]);
    assert.deepEqual(found.found, { list: [THIRD], more: 1 });
  });

  it('that name nobody are an error that says what is needed', async () => {
    await deploy(topo());
    const { error } = await through({ payload: { temperature: 21 } }, 'errors');
    assert.match(error?.message ?? '', /no sub-device is named/);
    const many = await through({ payload: Array(2001).fill('m') }, 'errors');
    assert.match(many.error?.message ?? '', /2001 sub-devices .* 2000/);
  });

  it('need a gateway', async () => {
    gateway = new MadeUpGateway(red.events, `gateway-${used++}`, false);
    const told = red.next('errors');
    await deploy(topo());
    assert.match((await told).error?.message ?? '', /no gateway/);
    const { error } = await through({ payload: FIRST }, 'errors');
    assert.match(error?.message ?? '', /no gateway/);
  });

  it('wait as long as the node says', async () => {
    const asked: unknown[] = [];
    await deploy(topo({ timeout: '3' }), {
      addTopology: async (devices, options) => {
        asked.push(options?.timeoutMs);
        return well(devices);
      },
    });
    await through({ payload: FIRST });
    assert.deepEqual(asked, [3000]);
  });

  it('are handled in a subflow, whose ProductKey is that of its instance', async () => {
    const given: unknown[] = [];
    gateway.does = {
      addTopology: async (devices) => {
        given.push(...devices.map(({ identity }) => identity));
        return well(devices);
      },
    };
    const node = topo({ z: 'sub', device: gateway.nodeId, productKey: `\${METERS}`, wires: [[]] });
    const instance = { id: 'instance', z: 'tab', type: 'subflow:sub', x: 100, y: 100, wires: [['sink']] };
    await red.deploy([
      { id: gateway.nodeId, type: 'test-gateway' },
      {
        id: 'sub',
        type: 'subflow',
        name: 'sub',
        in: [{ x: 50, y: 30, wires: [{ id: 'topo' }] }],
        out: [{ x: 300, y: 30, wires: [{ id: 'topo', port: 0 }] }],
      },
      node,
      { ...instance, env: [{ name: 'METERS', type: 'str', value: 'a1Meter' }] },
      sink(),
    ]);
    const { payload } = await through({ payload: ['meter-01'] }, 'sink', 'instance');
    assert.deepEqual(payload, [{ ...FIRST, ok: true }]);
    assert.deepEqual(given, [FIRST]);
  });

  it('get the list of the topology, whatever they hold', async () => {
    await deploy(topo({ action: 'get' }), { getTopology: async () => [FIRST, SECOND] });
    const { payload, alink, device } = await through({ payload: 1700000000000 });
    assert.deepEqual(payload, [FIRST, SECOND]);
    assert.equal(alink?.method, 'thing.topo.get');
    assert.equal(device, undefined);
  });

  it('report what was found', async () => {
    const found: unknown[] = [];
    await deploy(topo({ action: 'found' }), {
      reportFound: async (devices) => {
        found.push(devices);
        return { id: '1', code: 200, data: {} } as never;
      },
    });
    const { payload } = await through({ payload: [FIRST] });
    assert.deepEqual(found, [[FIRST]]);
    assert.deepEqual(payload, [{ ...FIRST, ok: true }]);
  });

  describe('and secrets', () => {
    const registered: Gateway['register'] = async (devices) =>
      devices.map(({ identity }) => ({ identity, deviceSecret: SECRET }));

    it('of a registration stay in the gateway, unless they are asked for', async () => {
      await deploy(topo({ action: 'register' }), { register: registered });
      assert.doesNotMatch(JSON.stringify(await through({ payload: FIRST })), /secret/i);
      await deploy(topo({ action: 'register', handOut: true }), { register: registered });
      const { payload } = await through({ payload: FIRST });
      assert.deepEqual(payload, [{ ...FIRST, ok: true, deviceSecret: SECRET }]);
    });

    it('of a product come from the node for its product, else from the message', async () => {
      const asked: unknown[] = [];
      const node = topo({ action: 'productRegister', productKey: 'a1Meter' });
      await deploy(
        { ...node, credentials: { productSecret: 'of-the-node' } },
        {
          register: (devices) => {
            asked.push(...devices.map(({ identity, productSecret }) => [identity.deviceName, productSecret]));
            return registered(devices);
          },
        },
      );
      const { payload } = await through({
        payload: [
          { deviceName: 'meter-01' },
          { ...SECOND, productSecret: 'of-the-message' },
          { productKey: 'a1Valve', deviceName: 'valve-01' },
        ],
      });
      assert.deepEqual(asked, [
        ['meter-01', 'of-the-node'],
        ['meter-02', 'of-the-message'],
      ]);
      const [, , valve] = payload as Array<{ ok: boolean; message: string }>;
      assert.equal(valve?.ok, false);
      assert.match(valve?.message ?? '', /ProductSecret/);
      assert.doesNotMatch(JSON.stringify(payload), /of-the/);
    });

    const withSecret = { ...FIRST, deviceSecret: SECRET, productSecret: SECRET };
    const ways: Array<[what: string, node: object, msg: () => object, at: string]> = [
      ['that goes well', {}, () => ({ payload: [withSecret] }), 'sink'],
      ['that fails', { action: 'delete' }, () => ({ payload: [withSecret] }), 'errors'],
      ['in msg.device', {}, () => ({ payload: 7, device: withSecret }), 'sink'],
      ['beside a payload', {}, () => ({ payload: withSecret, device: withSecret }), 'sink'],
      [
        'in another property',
        { value: 'a.list' },
        () => ({ payload: [withSecret], a: { list: [withSecret] } }),
        'sink',
      ],
      [
        'in a property that another one names',
        { value: 'a[msg.key]' },
        () => ({ payload: 7, key: 'list', a: { list: [withSecret] } }),
        'sink',
      ],
      ['in a list that is too long', {}, () => ({ payload: Array(2001).fill(withSecret) }), 'errors'],
      ['of a sub-device that has no name', {}, () => ({ payload: [{ deviceSecret: SECRET }] }), 'errors'],
      ['with a time limit that cannot be', { timeout: 'soon' }, () => ({ payload: withSecret }), 'errors'],
      [
        'of a list that nobody asked for',
        { action: 'get' },
        () => ({ payload: [withSecret], device: withSecret }),
        'sink',
      ],
      [
        'of a list that nobody asked for, in vain',
        { action: 'get', timeout: 'soon' },
        () => ({ payload: [withSecret] }),
        'errors',
      ],
    ];
    for (const [what, settings, msg, at] of ways) {
      it(`leave a message ${what}`, async () => {
        const given: unknown[] = [];
        await deploy(topo(settings), {
          addTopology: async (devices) => {
            given.push(...devices.map(({ deviceSecret }) => deviceSecret));
            return well(devices);
          },
          deleteTopology: () => Promise.reject(refused(6401)),
          getTopology: async () => [],
        });
        const out = await through(msg(), at);
        assert.ok(!JSON.stringify(out).includes(SECRET), JSON.stringify(out));
        if (at === 'sink' && !('action' in settings)) assert.deepEqual(given, [SECRET]);
      });
    }

    it('of a context stay there', async () => {
      await deploy(topo(), { addTopology: async (devices) => well(devices) });
      const shared = [withSecret];
      await through({ payload: shared, device: shared[0] });
      assert.deepEqual(shared, [{ ...FIRST, deviceSecret: SECRET, productSecret: SECRET }]);
    });
  });

  describe('of the platform', () => {
    it('are passed on with their devices, ready for a node like this', async () => {
      await deploy(topo({ notify: 'pass' }));
      const both = red.next('sink');
      gateway.tell({ type: 'addRequested', devices: [FIRST, SECOND] });
      const { payload, topic, alink, device } = await both;
      assert.deepEqual([topic, payload, device], ['addRequested', [FIRST, SECOND], undefined]);
      assert.deepEqual([alink?.status, alink?.notice, alink?.kind], ['pushed', 'addRequested', 'notice']);
      const one = red.next('sink');
      gateway.tell({ type: 'removed', devices: [FIRST] });
      assert.deepEqual((await one).device, FIRST);
      const permit = red.next('sink');
      // What becomes of sessions is the lifecycle node's.
      gateway.tell({ type: 'kicked', devices: [FIRST] });
      gateway.tell({ type: 'permitJoin', devices: [], productKey: 'a1Meter', seconds: 60 });
      assert.deepEqual((await permit).payload, { productKey: 'a1Meter', seconds: 60 });
    });

    it('are admitted by the gateway, which tells what became of each, until the node is gone', async () => {
      let tell: (result: SubDeviceResult) => void = () => undefined;
      let stopped = 0;
      const admit: Gateway['admit'] = (onResult) => {
        tell = onResult;
        return () => {
          stopped++;
        };
      };
      await deploy(topo({ action: 'handle', notify: 'none' }), { admit });
      const good = red.next('sink');
      tell({ identity: FIRST });
      const { payload, topic, device, alink } = await good;
      assert.deepEqual([topic, payload, device], ['admit', [{ ...FIRST, ok: true }], FIRST]);
      assert.equal(alink?.status, 'acknowledged');
      const [bad, red428] = [red.next('sink'), red.next('statuses', ({ status }) => status?.fill === 'red')];
      tell({ identity: SECOND, error: refused(428) });
      const told = await bad;
      assert.deepEqual([told.alink?.status, told.alink?.code], ['refused', 428]);
      assert.equal((told.payload as Array<{ ok: boolean }>)[0]?.ok, false);
      await red428;
      await red.deploy([]);
      assert.equal(stopped, 1);
      assert.equal(gateway.handles, 0);
    });

    it('are decided on by a flow, which hands those that may join to the node', async () => {
      const asked: unknown[] = [];
      await deploy(topo({ action: 'handle', notify: 'pass' }), {
        login: async (devices, options) => {
          asked.push(options?.store, ...devices);
          return well(devices);
        },
      });
      const { payload } = await through({ payload: [FIRST] });
      assert.deepEqual(payload, [{ ...FIRST, ok: true }]);
      assert.deepEqual(asked, [true, { identity: FIRST }]);
    });
  });

  describe('that exist nowhere else', () => {
    it('log in with the secrets of the message, which are kept only when asked', async () => {
      const asked: unknown[] = [];
      const login: Gateway['login'] = async (devices, options) => {
        asked.push([options?.store, ...devices]);
        return well(devices);
      };
      await deploy(subDeviceLogin(), { login });
      const out = await through({ payload: { ...FIRST, deviceSecret: SECRET } }, 'sink', 'login');
      assert.deepEqual(out.payload, [{ ...FIRST, ok: true }]);
      assert.deepEqual(out.device, FIRST);
      assert.ok(!JSON.stringify(out).includes(SECRET));
      await deploy(subDeviceLogin({ store: true }), { login });
      await through({ payload: [FIRST, SECOND] }, 'sink', 'login');
      assert.deepEqual(asked, [
        [false, { identity: FIRST, deviceSecret: SECRET }],
        [true, { identity: FIRST }, { identity: SECOND }],
      ]);
    });

    it('log out, and are counted', async () => {
      const logout: Gateway['logout'] = async (devices) => {
        for (const { deviceName } of devices) gateway.setSubDevice(deviceName, { name: 'idle', waiting: 0 });
        return devices.map((identity) => ({ identity }));
      };
      await deploy(subDeviceLogin({ action: 'logout' }), { logout });
      const two = red.next('statuses', ({ status }) => status?.text === '2 of 2 online');
      for (const { deviceName } of [FIRST, SECOND]) {
        gateway.setSubDevice(deviceName, { name: 'online', waiting: 0 });
      }
      await two;
      const one = red.next('statuses', ({ status }) => status?.text === '1 of 1 online');
      const { alink } = await through({ payload: FIRST }, 'sink', 'login');
      assert.equal(alink?.method, 'session.logout');
      await one;
    });
  });
});
