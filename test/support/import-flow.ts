import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { FlowNode, Runtime } from './runtime';

/** What a user who imports a flow in the place of an earlier one tells Node-RED, over its admin API. */
export async function importFlow(red: Runtime, flow: readonly FlowNode[], instead: readonly FlowNode[] = []) {
  const url = `${red.url}/flows`;
  const headers = { 'Node-RED-API-Version': 'v2', 'Content-Type': 'application/json' };
  const current = (await (await fetch(url, { headers })).json()) as { rev: string; flows: FlowNode[] };
  const old = new Set(instead.map(({ id }) => id));
  const flows = [...current.flows.filter(({ id }) => !old.has(id)), ...flow];
  const started = once(red.events, 'flows:started');
  const response = await fetch(url, {
    method: 'POST',
    headers: { ...headers, 'Node-RED-Deployment-Type': 'nodes' },
    body: JSON.stringify({ rev: current.rev, flows }),
  });
  assert.equal(response.status, 200, await response.text());
  await started;
}
