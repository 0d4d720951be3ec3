import { thingKey } from '../../identity';
import type { ModelConfiguration, ModelDevice } from '../types';
import {
  addErrors,
  Canvas,
  debugNode,
  type FlowNode,
  fingerprint,
  functionNode,
  type Ids,
  idsOf,
  tabLabel,
} from './canvas';
import { modbusTab } from './modbus-tab';
import { opcUaTab } from './opcua-tab';
import type { GeneratedFlowOptions } from './options';
import { flowTexts } from './words';

/**
 * Makes a flow that polls, decodes, reports and writes everything of a model configuration: one tab for the gateway and
 * one for each server, with one client each. It needs node-red-contrib-modbus or node-red-contrib-opcua besides this
 * collection. Ids are the same each time.
 * @returns nodes as Node-RED imports them
 */
export function generateFlow({ devices }: ModelConfiguration, options: GeneratedFlowOptions): FlowNode[] {
  const ids = idsOf(options.gateway);
  const groups = new Map<string, ModelDevice[]>();
  for (const device of devices) {
    const { serverId } = device.server;
    const group = groups.get(serverId) ?? [];
    groups.set(serverId, group);
    group.push(device);
  }
  const names = devices.map(({ productKey, deviceName }) => ({ productKey, deviceName }));
  return [
    ...gatewayTab(names, ids, options),
    ...[...groups.values()].flatMap((group) => {
      const modbus = group.filter((device) => device.kind === 'modbus');
      const opcUa = group.filter((device) => device.kind === 'opcua');
      // A server is of one kind, and all devices of a group have the same.
      if (modbus[0]) return modbusTab(modbus[0].server, modbus, ids, options);
      return opcUa[0] ? opcUaTab(opcUa[0].server, opcUa, ids, options) : [];
    }),
  ];
}

interface Names {
  productKey: string;
  deviceName: string;
}

function gatewayTab(devices: readonly Names[], ids: Ids, options: GeneratedFlowOptions): FlowNode[] {
  const { gateway, language } = options;
  const texts = flowTexts(language);
  const canvas = new Canvas(ids('tab'), tabLabel(texts.gatewayTab, options), texts.gatewayInfo);
  const [list, login, result] = [ids('list'), ids('login'), ids('result')] as const;
  canvas.comment(ids('online'), texts.online, texts.onlineInfo);
  const sorted = [...devices].sort((a, b) => thingKey(a).localeCompare(thingKey(b), 'en'));
  canvas.add(0, {
    id: ids('state'),
    type: 'alink-lifecycle',
    name: texts.state,
    // Another list must make this another node: one that a deploy of modified nodes leaves as it is would not say again
    // that the gateway is online, and new devices would wait for the next reconnect.
    info: texts.stateInfo(fingerprint(sorted)),
    device: gateway,
    own: true,
    subDevices: false,
    notices: false,
    initial: true,
    wires: [[list]],
  });
  const func = `const devices = ${JSON.stringify(sorted, null, 1)};\n\nreturn msg.payload === 'online' ? { payload: devices } : null;\n`;
  canvas.add(1, functionNode(list, texts.list, func, [[login]]));
  canvas.add(2, {
    id: login,
    type: 'alink-subdevice-login',
    name: texts.login,
    device: gateway,
    action: 'login',
    value: 'payload',
    valueType: 'msg',
    productKey: '',
    store: false,
    timeout: '',
    wires: [[result]],
  });
  canvas.add(3, debugNode(result, texts.loginResult, 'alink'));
  canvas.down();
  canvas.gap();
  addErrors(canvas, ids, texts);
  return canvas.nodes;
}
