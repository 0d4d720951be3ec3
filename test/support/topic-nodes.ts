import type { FlowNode } from './runtime';

export function topicIn(extra: object = {}): FlowNode {
  return {
    id: 'in',
    z: 'tab',
    type: 'alink-topic-in',
    device: 'device',
    source: 'topic',
    topic: 'user/get',
    qos: '1',
    output: 'auto',
    timeLimit: '',
    wires: [['sink']],
    ...extra,
  };
}

export function topicOut(extra: object = {}): FlowNode {
  return {
    id: 'out',
    z: 'tab',
    type: 'alink-topic-out',
    device: 'device',
    topic: '',
    qos: '1',
    value: 'payload',
    valueType: 'msg',
    format: 'auto',
    timeout: '',
    wires: [['published']],
    ...extra,
  };
}

export function rawIn(extra: object = {}): FlowNode {
  return {
    id: 'raw-in',
    z: 'tab',
    type: 'alink-raw-in',
    device: 'device',
    reply: 'flow',
    timeLimit: '',
    wires: [['sink']],
    ...extra,
  };
}

export function rawOut(extra: object = {}): FlowNode {
  return {
    id: 'raw-out',
    z: 'tab',
    type: 'alink-raw-out',
    device: 'device',
    value: 'payload',
    valueType: 'msg',
    text: 'hex',
    timeout: '',
    wires: [['answered']],
    ...extra,
  };
}
