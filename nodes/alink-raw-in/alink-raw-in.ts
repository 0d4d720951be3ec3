import type { NodeAPI, NodeDef } from 'node-red';
import { handleRequests } from '../shared/requests';

interface RawInDef extends NodeDef {
  device: string;
  /** `flow`: a reply node may answer; `none`: this node only listens. */
  reply: 'flow' | 'none';
  /** Seconds that the flow has; empty: 5. */
  timeLimit: string;
}

/** Receives bytes that the script of a passthrough product made of a request (B.1 rows 13, 14). */
export = function alinkRawIn(RED: NodeAPI): void {
  RED.nodes.registerType('alink-raw-in', function (def: RawInDef) {
    RED.nodes.createNode(this, def);
    handleRequests(RED, this, def, {
      filters: [{ kind: 'raw' }],
      ...(def.reply === 'none' ? { handling: { listenOnly: true } } : {}),
      reply: () => 'flow',
      // Most devices of passthrough products take bytes and say nothing; only a synchronous call waits for them.
      mayStaySilent: ({ sync }) => !sync,
      messages: ({ payload }) => [{ payload: Buffer.from(payload) }],
    });
  });
};
