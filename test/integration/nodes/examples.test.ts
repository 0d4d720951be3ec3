import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { neededLater } from '../../support/examples';
import { freePort } from '../../support/node-red';
import { type FlowMessage, type FlowNode, type Runtime, startRuntime } from '../../support/runtime';

const FOLDER = join(resolve(__dirname, '..', '..', '..'), 'examples');
/** What a node of an example says when it did its work. */
const WORKED = ['acknowledged', 'online', 'pending', 'answered', 'received', 'pushed', 'downloaded'];
const WITHOUT_OUTPUT = ['alink-service-reply'];
const DASHBOARD = '@flowfuse/node-red-dashboard';

describe('examples', () => {
  let red: Runtime;
  before(async () => {
    red = await startRuntime({ neighbours: [DASHBOARD] });
  });
  after(() => red.stop());

  it('share no id, so that a user may import all of them', () => {
    const ids = readdirSync(FOLDER).flatMap((file) =>
      (JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as FlowNode[]).map(({ id }) => id),
    );
    assert.deepEqual(
      ids.filter((id, i) => ids.indexOf(id) !== i),
      [],
    );
  });

  it('tell what they show in English, then in Chinese', () => {
    for (const file of readdirSync(FOLDER)) {
      const flow = JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as FlowNode[];
      const telling = flow.filter(({ type }) => type === 'tab' || type === 'comment');
      assert.ok(telling.length > 1, file);
      for (const { id, info } of telling) {
        const [english = '', chinese] = String(info).split(/\n\n(?=[^\n]*\p{Script=Han})/u);
        assert.match(english, /^[^\p{Script=Han}]+$/u, `${file} ${id}: English first`);
        assert.ok(chinese !== undefined, `${file} ${id}: Chinese below it`);
      }
    }
  });

  it('14-shadow.json: what the cloud wished is what the device has reported then', async () => {
    const flow = JSON.parse(readFileSync(join(FOLDER, '14-shadow.json'), 'utf8')) as FlowNode[];
    const named = (name: string) =>
      flow.find((node) => node.name === name && node.type !== 'alink-cloud')?.id;
    const sinks = ['report and clear the wish', 'read the shadow'].map((name) => ({
      id: named(name) ?? '',
      name,
    }));
    await red.deploy([
      ...flow.map((node) => {
        const tapped = sinks.some(({ id }) => id === node.id);
        return tapped ? { ...node, wires: [[...outputOf(node), `at-${node.id}`]] } : node;
      }),
      ...sinks.map(({ id }) => ({ id: `at-${id}`, type: 'test-sink', z: flow[0]?.id ?? '', wires: [] })),
    ]);
    const [reports, reads] = sinks.map(({ id }) => `at-${id}`);
    const reported = red.next(String(reports), undefined, 15_000);
    red.send(named('green') ?? '', {});
    await reported;
    const read = red.next(String(reads), ({ alink }) => alink?.status === 'acknowledged', 15_000);
    red.send(named('read now') ?? '', {});
    const { state } = (await read).payload as { state: object };
    assert.deepEqual(state, { reported: { color: 'green' } });
  });

  it('24-remote-configuration.json: taken or refused, and what is in use may be asked for again and again', async () => {
    const flow = await onFreePorts(readFileSync(join(FOLDER, '24-remote-configuration.json'), 'utf8'));
    const named = (name: string) =>
      flow.find((node) => node.name === name && node.type !== 'function')?.id ?? '';
    const shown = ['in use', 'what went wrong', 'answer of the box', 'is switched on'].map(named);
    const answers = { id: 'answers', type: 'complete', z: flow[0]?.id, scope: [named('refused')] };
    await red.deploy([
      ...flow.map((node) => (shown.includes(node.id) ? { ...node, type: 'test-sink', wires: [] } : node)),
      { ...answers, wires: [['at-refused']] },
      { id: 'at-refused', type: 'test-sink', z: flow[0]?.id ?? '', wires: [] },
    ]);
    const [inUse = '', wrong = '', answer = '', switched = ''] = shown;
    const errors: FlowMessage[] = [];
    const note = (msg: FlowMessage) => errors.push(msg);
    red.events.on(`test-sink:${wrong}`, note);
    const taken = red.next(inUse, ({ payload }) => JSON.stringify(payload) === '{"interval":5}', 15_000);
    red.send(named('every 5 s'), {});
    await taken;
    for (const [button, status] of [
      ['ask for it', 'unchanged'],
      ['in use, also offline', 'kept'],
    ] as const) {
      const again = red.next(inUse, ({ alink }) => alink?.status === status, 15_000);
      red.send(named(button), {});
      assert.deepEqual((await again).payload, { interval: 5 });
    }
    const refused = red.next('at-refused', undefined, 15_000);
    red.send(named('every 0 s'), {});
    assert.deepEqual((await refused).payload, { interval: 0 });
    const { configuration } = (await red.next(answer, undefined, 15_000)).payload as {
      configuration: { code: number; message: string };
    };
    assert.deepEqual([configuration.code, configuration.message], [100001, 'interval is not 1-3600']);
    assert.deepEqual(errors, []);
    red.events.off(`test-sink:${wrong}`, note);
    const off = red.next(switched, undefined, 15_000);
    red.send(named('switch it off'), {});
    assert.equal(Object((await off).payload).enabled, false);
    const why = red.next(wrong, undefined, 15_000);
    red.send(named('ask for it'), {});
    assert.equal((await why).error?.code, 6713);
  });

  it('26-firmware-update.json: the upgrade succeeds, and the lamp has its new color', async () => {
    const imported = await onFreePorts(readFileSync(join(FOLDER, '26-firmware-update.json'), 'utf8'));
    // A user has time to look; the upgrade is over much sooner.
    const flow = imported.map((node) => (node.type === 'delay' ? { ...node, timeout: '2' } : node));
    const named = (name: string) =>
      flow.find((node) => node.name === name && node.type !== 'function')?.id ?? '';
    const sinks = ['how the upgrade went', 'error', 'fault is set'].map(named);
    const [shown = '', wrong = '', isSet = ''] = sinks;
    const [lamp] = flow.filter(({ name }) => name === 'apply (simulated)');
    const statuses = {
      id: 'lamp-status',
      type: 'status',
      z: lamp?.z,
      scope: [lamp?.id],
      wires: [['at-lamp']],
    };
    await red.deploy([
      ...flow.map((node) => (sinks.includes(node.id) ? { ...node, type: 'test-sink' } : node)),
      statuses,
      { id: 'at-lamp', type: 'test-sink', z: lamp?.z, wires: [] },
    ]);
    const colored = red.next('at-lamp', undefined, 15_000);
    const upgrade = async () => {
      const told = red.next(shown, undefined, 15_000);
      red.send(named('new firmware'), {});
      const { payload } = await told;
      const tasks = payload as { SimpleOTATaskInfo: Array<{ TaskStatus: string }> };
      return tasks.SimpleOTATaskInfo.map(({ TaskStatus }) => TaskStatus);
    };
    assert.deepEqual(await upgrade(), ['SUCCEEDED']);
    assert.equal((await colored).status?.text, 'green');
    const spoiled = red.next(isSet, undefined, 15_000);
    red.send(named('spoil the next one'), {});
    await spoiled;
    const refused = red.next(wrong, undefined, 15_000);
    assert.deepEqual(await upgrade(), ['FAILED']);
    assert.equal((await refused).alink?.step, -3);
    assert.deepEqual(await upgrade(), ['SUCCEEDED']);
  });

  for (const file of readdirSync(FOLDER)) {
    it(`${file} works as imported`, async () => {
      const flow = await onFreePorts(readFileSync(join(FOLDER, file), 'utf8'));
      const reached = reachedWithoutBrowser(flow);
      const later = neededLater(flow);
      const afterFailures = new Set(flow.filter(({ type }) => type === 'catch').flatMap(outputOf));
      const ours = flow.filter(
        ({ id, type, wires }) =>
          type.startsWith('alink-') &&
          wires !== undefined &&
          !WITHOUT_OUTPUT.includes(type) &&
          // What works on failures has nothing to do.
          !afterFailures.has(id) &&
          !later.has(id) &&
          reached.has(id),
      );
      const listened = ours.map(async (node) => {
        const fits = ({ alink }: FlowMessage) => WORKED.includes(String(alink?.status));
        return red.next(`at-${node.id}`, fits, 15_000).catch((error: Error) => {
          throw new Error(`${node.type} ${node.name}: ${error.message}`);
        });
      });
      // A reply node has no output, but it is done when the platform has its answer.
      const replies = flow.filter(({ id, type }) => WITHOUT_OUTPUT.includes(type) && !afterFailures.has(id));
      const replied = replies.map(({ id }) => red.next(`at-${id}`, undefined, 15_000));
      await red.deploy([
        ...replies.flatMap(({ id, z }) => [
          { id: `done-${id}`, type: 'complete', z, scope: [id], wires: [[`at-${id}`]] },
          { id: `at-${id}`, type: 'test-sink', z, wires: [] },
        ]),
        ...flow.map((node) =>
          ours.includes(node) ? { ...node, wires: [[...outputOf(node), `at-${node.id}`]] } : node,
        ),
        ...ours.map(({ id, z }) => ({ id: `at-${id}`, type: 'test-sink', z, wires: [] })),
      ]);
      // Ten times, because one of the examples joins ten measurements.
      const faults = flow.filter(({ url }) => String(url).endsWith('/emulator/faults')).map(({ id }) => id);
      // Buttons that make something go wrong have tests of their own.
      const buttons = flow.filter(
        (node) =>
          node.type === 'inject' && !later.has(node.id) && !outputOf(node).some((id) => faults.includes(id)),
      );
      for (const { id } of buttons) {
        for (let i = 0; i < 10; i++) red.send(id, {});
      }
      const messages = await Promise.all([...listened, ...replied]);
      assert.ok(messages.length > 0);
    });
  }
});

/** An example whose emulator has a port of its own, because a node calls it there, on one that is free here. */
async function onFreePorts(text: string): Promise<FlowNode[]> {
  let moved = text;
  for (const { emulatorHttpPort } of JSON.parse(text) as FlowNode[]) {
    if (typeof emulatorHttpPort !== 'string' || !/^[1-9]\d*$/.test(emulatorHttpPort)) continue;
    moved = moved.replaceAll(emulatorHttpPort, String(await freePort()));
  }
  return JSON.parse(moved) as FlowNode[];
}

function outputOf({ wires }: FlowNode): string[] {
  return (wires as string[][])[0] ?? [];
}

/** Nodes that work without anybody at a dashboard; the test of the dashboard sees to the others. */
function reachedWithoutBrowser(flow: readonly FlowNode[]): Set<string> {
  const reached = new Set<string>();
  const visit = (id: string) => {
    const node = flow.find((one) => one.id === id);
    if (node === undefined || reached.has(id)) return;
    reached.add(id);
    // A widget answers to people; what is wired behind it waits for them.
    if (node.type.startsWith('ui-')) return;
    for (const output of (node.wires as string[][] | undefined) ?? []) for (const next of output) visit(next);
  };
  const wired = new Set(flow.flatMap(({ wires }) => ((wires as string[][] | undefined) ?? []).flat()));
  // Links, catch and status nodes have nothing before them either.
  for (const { id, type } of flow) if (!wired.has(id) && !type.startsWith('ui-')) visit(id);
  return reached;
}
