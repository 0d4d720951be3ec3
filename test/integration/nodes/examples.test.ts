import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { type FlowNode, type Runtime, startRuntime } from '../../support/runtime';

const FOLDER = join(resolve(__dirname, '..', '..', '..'), 'examples');
const REPORTS = ['alink-property-post', 'alink-event-out'];

describe('examples', () => {
  let red: Runtime;
  before(async () => {
    red = await startRuntime();
  });
  after(() => red.stop());

  for (const file of readdirSync(FOLDER)) {
    it(`${file} works as imported`, async () => {
      const flow = JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as FlowNode[];
      const ours = flow.filter(({ type, wires }) => type.startsWith('alink-') && wires !== undefined);
      const listened = ours.map((node) =>
        red.next(`at-${node.id}`, (msg) => fits(node.type, msg.alink), 15_000),
      );
      await red.deploy([
        ...flow.map((node) =>
          ours.includes(node) ? { ...node, wires: [[...outputOf(node), `at-${node.id}`]] } : node,
        ),
        ...ours.map(({ id, z }) => ({ id: `at-${id}`, type: 'test-sink', z, wires: [] })),
      ]);
      // Ten times, because one of the examples joins ten measurements.
      for (const { id } of flow.filter(({ type }) => type === 'inject')) {
        for (let i = 0; i < 10; i++) red.send(id, {});
      }
      const messages = await Promise.all(listened);
      assert.ok(messages.length > 0);
    });
  }
});

function fits(type: string, alink: Record<string, unknown> | undefined): boolean {
  return alink?.status === (REPORTS.includes(type) ? 'acknowledged' : 'online');
}

function outputOf({ wires }: FlowNode): string[] {
  return (wires as string[][])[0] ?? [];
}
