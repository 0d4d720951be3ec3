import type { NodeAPI, NodeDef, NodeMessage } from 'node-red';
import type { IncomingRequest } from '../../sdk';
import { handleRequests, type RequestDef } from '../shared/requests';

interface PropertySetDef extends NodeDef, RequestDef {
  /** Who answers a property get: the SDK with the last reported values, or the flow. */
  get: 'reported' | 'flow';
  /** Properties that are read-only or not in the thing model: answered 460, or handed on. */
  unknown: 'refuse' | 'pass';
  /** Ask for desired values after each connect. */
  desired: boolean;
  /** One message per request, or one per property; only where no reply node answers. */
  output: 'object' | 'properties';
}

/** Hands on what the platform sets, and what it asks for if the flow shall tell (B.1 rows 6, 7, 15). */
export = function alinkPropertySet(RED: NodeAPI): void {
  RED.nodes.registerType('alink-property-set', function (def: PropertySetDef) {
    RED.nodes.createNode(this, def);
    const byFlow = def.reply === 'flow';
    const single = def.output === 'properties' && !byFlow;
    handleRequests(RED, this, def, {
      filters: [{ kind: 'propertySet' }, ...(def.get === 'flow' ? [{ kind: 'propertyGet' } as const] : [])],
      handling: { unknown: def.unknown === 'pass' ? 'pass' : 'refuse', desired: def.desired === true },
      // Only the flow knows what a get asks for.
      reply: ({ kind }) => (byFlow || kind === 'propertyGet' ? 'flow' : 'now'),
      ...(single ? { messages: perProperty } : {}),
    });
  });
};

function perProperty({ kind, params }: IncomingRequest): NodeMessage[] {
  if (kind !== 'propertySet') return [{ payload: structuredClone(params) }];
  return Object.entries(params ?? {}).map(([topic, payload]) => ({
    topic,
    payload: structuredClone(payload),
  }));
}
