import type { Node, NodeAPI, NodeDef, NodeMessage } from 'node-red';
import { calledTopic, fillNames, productBroadcasts, type TopicSource } from '../../protocol/own-topics';
import type { AlinkError, Device, IncomingMessage } from '../../sdk';
import { checkedFilter } from '../shared/checked-topic';
import { expandText } from '../shared/config';
import { toAlinkError, toFlowError } from '../shared/flow-error';
import { failed, linkThing } from '../shared/flow-node';
import { decodePayload, type PayloadForm } from '../shared/payload';
import { handleRequests } from '../shared/requests';

interface TopicInDef extends NodeDef {
  device: string;
  source: TopicSource;
  /** Full or short form, with wildcards; blank for broadcasts to the whole product and RRPC without a topic. */
  topic: string;
  qos: '0' | '1';
  output: PayloadForm;
  /** Seconds that the flow has to answer an RRPC; empty: 5. */
  timeLimit: string;
}

/** Receives messages of user-defined topics, broadcasts, and RRPC with a payload of one's own (B.1 row 11, B.8). */
export = function alinkTopicIn(RED: NodeAPI): void {
  RED.nodes.registerType('alink-topic-in', function (def: TopicInDef) {
    RED.nodes.createNode(this, def);
    if (def.source === 'rrpc') receiveCalls(RED, this, def);
    else receiveMessages(RED, this, def, def.source === 'broadcast' ? 'broadcast' : 'topic');
  });
};

function receiveMessages(RED: NodeAPI, node: Node, def: TopicInDef, source: TopicSource): void {
  const onProblem = (error: AlinkError, about: object) => {
    if (link.signal.aborted) return;
    link.status.error(error);
    const flowError = toFlowError(RED, error);
    const alink = { ...about, ...failed(RED, error, flowError.message) };
    node.error(flowError, { alink } as NodeMessage);
  };

  const receive = (device: Device, { topic, payload, qos, duplicate }: IncomingMessage) => {
    const info = { ...device.identity, topic, time: Date.now(), ...(duplicate ? { duplicate } : {}) };
    try {
      const content = decodePayload(payload, def.output || 'auto');
      link.status.success();
      node.send({ topic, payload: content, qos, alink: { ...info, status: 'received' } } as NodeMessage);
    } catch (thrown) {
      onProblem(toAlinkError(thrown), info);
    }
  };

  const link = linkThing(RED, node, def.device, (device) => {
    const text = topicText(RED, node, def, device);
    const listener = (message: IncomingMessage) => receive(device, message);
    const options = { qos: def.qos === '0' ? 0 : 1 } as const;
    if (source === 'broadcast' && text === '') {
      // These come without having been subscribed, so a refusal says nothing.
      return device.onMessage(productBroadcasts(device.identity), listener, undefined, options);
    }
    const filter = checkedFilter(RED, text, source, device.identity);
    const onRefused = (error: AlinkError) => onProblem(error, { ...device.identity, topic: filter });
    return device.onMessage(filter, listener, onRefused, options);
  });
}

function receiveCalls(RED: NodeAPI, node: Node, def: TopicInDef): void {
  handleRequests(RED, node, def, {
    filters: (device) => {
      const text = topicText(RED, node, def, device);
      if (text === '') return [{ kind: 'rrpc' }];
      return [{ kind: 'rrpc', topic: checkedFilter(RED, text, 'rrpc', device.identity) }];
    },
    reply: () => 'flow',
    messages: ({ topic, payload }) => [
      {
        topic: calledTopic(topic),
        payload: decodePayload(payload, def.output || 'auto'),
        qos: 0,
      } as NodeMessage,
    ],
  });
}

/** The names of the device first: they look like variables of the environment. */
function topicText(RED: NodeAPI, node: Node, def: TopicInDef, { identity }: Device): string {
  return expandText(RED, node, fillNames(String(def.topic ?? ''), identity));
}
