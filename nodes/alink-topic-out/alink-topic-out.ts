import type { NodeAPI, NodeDef } from 'node-red';
import { fillNames } from '../../protocol/own-topics';
import { checkedTopic } from '../shared/checked-topic';
import { expandText, readNumber, readValue, type ValueSource } from '../shared/config';
import { handleInput, linkThing } from '../shared/flow-node';
import { invalidInput } from '../shared/invalid-input';
import { encodePayload, type PayloadForm } from '../shared/payload';

interface TopicOutDef extends NodeDef {
  device: string;
  /** Full or short form; blank: `msg.topic`. */
  topic: string;
  qos: '0' | '1';
  value: string;
  valueType: ValueSource;
  format: PayloadForm;
  /** Seconds; empty: the device's. */
  timeout: string;
}

/** Publishes to user-defined topics of a device; done when the platform has the message (B.8 row 102). */
export = function alinkTopicOut(RED: NodeAPI): void {
  RED.nodes.registerType('alink-topic-out', function (def: TopicOutDef) {
    RED.nodes.createNode(this, def);
    const qos = def.qos === '0' ? 0 : 1;
    const link = linkThing(RED, this, def.device);
    handleInput(RED, this, link, async (msg, { device, info }) => {
      const { identity } = device;
      const fixed = expandText(RED, this, fillNames(String(def.topic ?? ''), identity));
      const topic = checkedTopic(RED, fixed || topicOf(msg.topic), identity);
      info.topic = topic;
      const value = await readValue(RED, this, def.value || 'payload', def.valueType || 'msg', msg);
      const seconds = readNumber(def.timeout, 'timeout', { min: 1, max: 3600 });
      const payload = encodePayload(value, def.format || 'auto');
      await device.publish(topic, payload, qos, {
        signal: link.signal,
        ...(seconds === undefined ? {} : { timeoutMs: seconds * 1000 }),
      });
      // Nobody confirms a message of QoS 0.
      return { status: qos === 1 ? 'acknowledged' : 'sent' };
    });
  });
};

function topicOf(topic: unknown): string {
  if (typeof topic === 'string' && topic.trim() !== '') return topic;
  const reason = 'no topic is named: write one in the node or set msg.topic';
  throw invalidInput('noTopic', reason);
}
