import { EventEmitter } from 'node:events';

interface LogOfNodeRed {
  addHandler(handler: EventEmitter): void;
  removeHandler(handler: EventEmitter): void;
}

/** Lines of Node-RED's log by some nodes, as `id text`, from now on. */
export function listenToLog(...nodes: readonly string[]): { lines: string[]; stop: () => void } {
  const { log } = require(process.env.ALINK_TEST_NODE_RED ?? 'node-red') as { log: LogOfNodeRed };
  const lines: string[] = [];
  const handler = new EventEmitter();
  handler.on('log', ({ id, msg }: { id?: string; msg?: unknown }) => {
    if (id !== undefined && nodes.includes(id)) lines.push(`${id} ${String(msg)}`);
  });
  log.addHandler(handler);
  return { lines, stop: () => log.removeHandler(handler) };
}
