import type { NodeAPI, NodeDef } from 'node-red';
import { AlinkError } from '../../sdk';
import { readNumber, readValue, type ValueSource } from '../shared/config';
import { handleInput, linkThing } from '../shared/flow-node';
import { invalidInput } from '../shared/invalid-input';
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
      const bytes = toBytes(value, def.text || 'hex');
      if (bytes.length === 0) throw invalidInput('nothingToSend', 'there is nothing to send');
      const options = {
        signal: link.signal,
        ...(seconds === undefined ? {} : { timeoutMs: seconds * 1000 }),
      };
      msg.payload = Buffer.from(await device.sendRaw(bytes, options).catch(nameScript));
      return { status: 'acknowledged' };
    });
  });
};

/** The platform is silent when the product has no script or its script fails; nothing else tells a user where to look. */
function nameScript(thrown: unknown): never {
  if (!(thrown instanceof AlinkError) || thrown.key !== 'timeout') throw thrown;
  const details = { ...thrown.details, rule: 'noScriptAnswer', reason: 'Check the script of the product.' };
  throw new AlinkError('timeout', thrown.message, { details, retry: thrown.retry, cause: thrown });
}
