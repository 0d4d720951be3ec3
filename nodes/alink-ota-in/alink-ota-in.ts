import type { Node, NodeAPI } from 'node-red';
import { OtaIn } from './ota-in';
import type { OtaInDef } from './settings';

/** Firmware that the platform offers: handed on as it is, or loaded and checked first (section G). */
export = function alinkOtaIn(RED: NodeAPI): void {
  RED.nodes.registerType('alink-ota-in', function (this: Node, def: OtaInDef) {
    RED.nodes.createNode(this, def);
    new OtaIn(RED, this, def).start();
  });
};
