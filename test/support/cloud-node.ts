import type { FlowNode } from './runtime';

/** A cloud node that answers into the sink `answers`. */
export function cloud(action: string, extra: object = {}): FlowNode {
  return {
    id: 'cloud',
    z: 'tab',
    type: 'alink-cloud',
    platform: 'platform',
    device: 'device',
    action,
    identifier: '',
    topic: '',
    qos: '1',
    timeout: '',
    value: 'payload',
    valueType: 'msg',
    parameters: '{}',
    parametersType: 'json',
    wires: [['answers']],
    ...extra,
  };
}
