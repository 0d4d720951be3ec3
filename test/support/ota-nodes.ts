import type { FlowNode } from './runtime';

export function otaIn(extra: object = {}): FlowNode {
  return {
    id: 'ota',
    z: 'tab',
    type: 'alink-ota-in',
    device: 'device',
    module: '',
    work: 'download',
    folder: '',
    mostMegabytes: '',
    hosts: '',
    keep: '1',
    attempts: '3',
    askOnStart: true,
    askBy: 'get',
    version: '1.0.0',
    versionType: 'remembered',
    progressMessages: false,
    subDevices: false,
    wires: [['sink']],
    ...extra,
  };
}

export function otaProgress(extra: object = {}): FlowNode {
  return {
    id: 'report',
    z: 'tab',
    type: 'alink-ota-progress',
    device: 'device',
    module: '',
    action: 'message',
    value: 'payload',
    valueType: 'msg',
    step: '-1',
    description: '',
    descriptionType: 'none',
    wires: [['reported']],
    ...extra,
  };
}
