import type { NodeAPI } from 'node-red';
import type { AlinkMessage } from '../shared/flow-node';
import { invalidInput } from '../shared/invalid-input';
import { handleReports, type ReportDef } from '../shared/report';

/** Reports an event of a device; done when the platform has acknowledged it (B.1 rows 2, 3). */
export = function alinkEventOut(RED: NodeAPI): void {
  RED.nodes.registerType('alink-event-out', function (def: ReportDef) {
    RED.nodes.createNode(this, def);
    handleReports(RED, this, def, async ({ device, gateway, info, msg, value, options }) => {
      const identifier = def.identifier?.trim() || identifierOf(msg);
      info.identifier = identifier;
      info.method = `thing.event.${identifier}.post`;
      return gateway
        ? gateway.postEvent(device.identity, identifier, value, options)
        : device.postEvent(identifier, value, options);
    });
  });
};

function identifierOf(msg: AlinkMessage): string {
  const alink = msg.alink;
  const identifier =
    typeof alink === 'object' && alink !== null ? Reflect.get(alink, 'identifier') : undefined;
  if (typeof identifier === 'string' && identifier !== '') return identifier;
  const reason = 'no event is named: choose one in the node or set msg.alink.identifier';
  throw invalidInput('noEvent', reason);
}
