import type { NodeAPI } from 'node-red';

/** Flows that cannot start completely never say so; their nodes go on after this time all the same. */
const LONGEST_WAIT_MS = 2000;

const waiting = new Set<() => void>();
let listening = false;

/**
 * Calls back once all nodes of the running deploy exist, so that what a node says at its start finds its way to
 * the nodes wired behind it and to status nodes.
 * @returns function that gives up the wait
 */
export function whenFlowsStarted(RED: NodeAPI, callback: () => void): () => void {
  const stop = () => {
    clearTimeout(timer);
    waiting.delete(once);
    unlisten(RED);
  };
  const once = () => {
    stop();
    callback();
  };
  const timer = setTimeout(once, LONGEST_WAIT_MS);
  waiting.add(once);
  // One listener for all nodes: Node-RED's emitter warns of a leak at eleven.
  if (!listening) RED.events.on('flows:started', tellAll);
  listening = true;
  return stop;
}

function tellAll(): void {
  for (const once of [...waiting]) once();
}

function unlisten(RED: NodeAPI): void {
  if (!listening || waiting.size > 0) return;
  listening = false;
  RED.events.off('flows:started', tellAll);
}
