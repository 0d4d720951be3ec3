import type { NodeAPI, NodeDef } from 'node-red';
import { expandText } from '../shared/config';
import { handleRequests, type RequestDef } from '../shared/requests';
import { say } from '../shared/runtime-messages';

interface ServiceInDef extends NodeDef, RequestDef {
  /** Service of the thing model; empty: every service. */
  identifier: string;
}

/** Hands on calls of a device's services, asynchronous and synchronous (B.1 rows 8–11). */
export = function alinkServiceIn(RED: NodeAPI): void {
  RED.nodes.registerType('alink-service-in', function (def: ServiceInDef) {
    RED.nodes.createNode(this, def);
    const identifier = expandText(RED, this, def.identifier);
    handleRequests(RED, this, def, {
      filters: ({ thingModel }) => {
        if (identifier === '') return [{ kind: 'service' }];
        // Only a warning: the model may be older than the product, and calls of other names are answered by the device.
        if (thingModel !== undefined && !thingModel.services.has(identifier)) {
          this.warn(say(RED, 'warn.unknownService', { identifier }, `${identifier}: no such service`));
        }
        return [{ kind: 'service', identifier }];
      },
      reply: () => (def.reply === 'now' ? 'now' : 'flow'),
    });
  });
};
