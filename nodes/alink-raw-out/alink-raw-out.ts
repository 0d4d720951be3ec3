import type { NodeAPI, NodeDef } from 'node-red';
import { readNumber, readValue, type ValueSource } from '../shared/config';
import { handleInput, linkThing } from '../shared/flow-node';
import { type BytesText, toBytes } from '../shared/payload';

interface RawOutDef extends NodeDef {
  device: string;
  value: string;
  valueType: ValueSource;
  /** What text in the value stands for. */
  text: BytesText;
  /** Seconds; empty: the device's. */
  timeout: string;
}

/** Sends bytes of a passthrough product and hands on the bytes that its script answers with (B.1 row 12). */
export = function alinkRawOut(RED: NodeAPI): void {
  RED.nodes.registerType('alink-raw-out', function (def: RawOutDef) {
    RED.nodes.createNode(this, def);
    const link = linkThing(RED, this, def.device);
    handleInput(RED, this, link, async (msg, { device, info }) => {
      info.method = 'thing.model.up_raw';
      const value = await readValue(RED, this, def.value || 'payload', def.valueType || 'msg', msg);
      const seconds = readNumber(def.timeout, 'timeout', { min: 1, max: 3600 });
      const answer = await device.sendRaw(toBytes(value, def.text || 'hex'), {
        signal: link.signal,
        ...(seconds === undefined ? {} : { timeoutMs: seconds * 1000 }),
      });
      msg.payload = Buffer.from(answer);
      return { status: 'acknowledged' };
    });
  });
};
