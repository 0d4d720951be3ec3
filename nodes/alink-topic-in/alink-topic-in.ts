import type { Node, NodeAPI, NodeDef, NodeMessage } from 'node-red';
import type { DeviceIdentity } from '../../protocol';
import { calledTopic, fillNames, productBroadcasts, type TopicSource } from '../../protocol/own-topics';
import type { AlinkError, IncomingMessage } from '../../sdk';
import { checkedFilter } from '../shared/checked-topic';
import { expandText } from '../shared/config';
import { toAlinkError, toFlowError } from '../shared/flow-error';
import { failed, linkThing, namesOf } from '../shared/flow-node';
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
  /** At a gateway: the same topic of each of its sub-devices too. */
  subDevices?: boolean;
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

  const receive = (from: DeviceIdentity, own: DeviceIdentity, message: IncomingMessage) => {
    const { topic, payload, qos, duplicate } = message;
    const names = namesOf({ identity: from });
    const info = { ...names, topic, time: Date.now(), ...(duplicate ? { duplicate } : {}) };
    const device = from === own ? {} : { device: names };
    try {
      const content = decodePayload(payload, def.output || 'auto');
      link.status.success();
      const alink = { ...info, status: 'received' };
      node.send({ topic, payload: content, qos, ...device, alink } as NodeMessage);
    } catch (thrown) {
      onProblem(toAlinkError(thrown), info);
    }
  };

  const link = linkThing(RED, node, def.device, (device) => {
    const { identity: own, gateway } = device;
    const listener = (message: IncomingMessage) => receive(own, own, message);
    const options = { qos: def.qos === '0' ? 0 : 1 } as const;
    const filterOf = (identity: DeviceIdentity) =>
      checkedFilter(RED, topicText(RED, node, def, identity), source, identity);
    if (source === 'broadcast' && topicText(RED, node, def, own) === '') {
      // These come without having been subscribed, so a refusal says nothing.
      return device.onMessage(productBroadcasts(own), listener, undefined, options);
    }
    const filter = filterOf(own);
    const onRefused = (error: AlinkError) => onProblem(error, { ...own, topic: filter });
    const stops = [device.onMessage(filter, listener, onRefused, options)];
    if (gateway && source === 'topic' && def.subDevices === true) {
      const ofSubDevice = (identity: DeviceIdentity, message: IncomingMessage) =>
        receive(identity, own, message);
      const refused = (identity: DeviceIdentity, error: AlinkError) =>
        onProblem(error, namesOf({ identity }));
      stops.push(gateway.onMessage(filterOf, ofSubDevice, refused, options));
    }
    return () => {
      for (const stop of stops) stop();
    };
  });
}

function receiveCalls(RED: NodeAPI, node: Node, def: TopicInDef): void {
  // A topic of a call's own need not say whom it is for.
  const subDevices = def.subDevices === true && String(def.topic ?? '').trim() === '';
  handleRequests(
    RED,
    node,
    { ...def, subDevices },
    {
      filters: (device) => {
        const text = topicText(RED, node, def, device.identity);
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
    },
  );
}

/** The names of the device first: they look like variables of the environment. */
function topicText(RED: NodeAPI, node: Node, def: TopicInDef, identity: DeviceIdentity): string {
  return expandText(RED, node, fillNames(String(def.topic ?? ''), identity));
}
