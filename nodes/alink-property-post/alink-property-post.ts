import type { NodeAPI } from 'node-red';
import { handleReports, type ReportDef } from '../shared/report';

/** Reports properties of a device; done when the platform has acknowledged them (B.1 rows 1, 3, 4). */
export = function alinkPropertyPost(RED: NodeAPI): void {
  RED.nodes.registerType('alink-property-post', function (def: ReportDef) {
    RED.nodes.createNode(this, def);
    const identifier = def.identifier?.trim();
    handleReports(RED, this, def, ({ device, gateway, info, value, options }) => {
      info.method = 'thing.event.property.post';
      if (identifier) info.identifier = identifier;
      const values = identifier ? { [identifier]: value } : value;
      return gateway
        ? gateway.postProperties(device.identity, values, options)
        : device.postProperties(values, options);
    });
  });
};
