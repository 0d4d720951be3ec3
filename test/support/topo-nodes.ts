import type { FlowNode } from './runtime';

export function topo(extra: object = {}): FlowNode {
  return {
    id: 'topo',
    z: 'tab',
    type: 'alink-topo',
    device: 'hub',
    action: 'add',
    value: 'payload',
    valueType: 'msg',
    productKey: '',
    handOut: false,
    notify: 'none',
    timeout: '',
    wires: [['sink']],
    ...extra,
  };
}

export function subDeviceLogin(extra: object = {}): FlowNode {
  return {
    id: 'login',
    z: 'tab',
    type: 'alink-subdevice-login',
    device: 'hub',
    action: 'login',
    value: 'payload',
    valueType: 'msg',
    productKey: '',
    store: false,
    timeout: '',
    wires: [['sink']],
    ...extra,
  };
}
