import { parentPort, workerData } from 'node:worker_threads';
import { ScriptSandbox } from './sandbox';
import { READY, type ScriptCall, type ScriptOutcome, type WorkerStart } from './types';

const { script, limits } = workerData as WorkerStart;
const port = parentPort;
if (port === null) throw new Error('runs as a thread only');

let sandbox: ScriptSandbox | undefined;

async function answer(call: ScriptCall): Promise<ScriptOutcome> {
  if (sandbox === undefined || sandbox.spent) {
    sandbox = await ScriptSandbox.create(limits);
    sandbox.load(script);
  }
  return sandbox.call(call);
}

// Loading this file takes longer than any script may.
port.postMessage(READY);
port.on('message', (call: ScriptCall) => {
  answer(call).then(
    (outcome) => port.postMessage(outcome),
    (thrown: unknown) =>
      port.postMessage({
        ok: false,
        code: 26002,
        reason: String(thrown).slice(0, 300),
      } satisfies ScriptOutcome),
  );
});
