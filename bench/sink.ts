import type { FlowMessage, Runtime } from '../test/support/runtime';

/** Tells who waits for a message when it reaches the flow's end; messages are told apart by `msg.bench`. */
export function awaitSink(red: Runtime): (id: number, done: () => void) => void {
  const waiting = new Map<unknown, () => void>();
  red.events.on('test-sink:sink', (msg: FlowMessage) => {
    const done = waiting.get(msg.bench);
    waiting.delete(msg.bench);
    done?.();
  });
  return (id, done) => waiting.set(id, done);
}
