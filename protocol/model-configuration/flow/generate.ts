import { thingKey } from '../../identity';
import type { ModbusDevice, ModelConfiguration } from '../types';
import { addCatch, Canvas, debugNode, type FlowNode, functionNode, type Ids, idsOf } from './canvas';
import { modbusTab } from './modbus-tab';
import { flowTexts } from './words';

export interface GeneratedFlowOptions {
  /** Id of the gateway's `alink-device` node, which the flow uses and does not contain. */
  gateway: string;
  /** Shown on the tabs. */
  name?: string;
  /** Registers or coils that may be read without being asked for, so that fewer requests are needed; 0 by default. */
  gap?: number;
  /** Names of serial ports on the machine, by those of the document. */
  serialPorts?: ReadonlyMap<string, string>;
  /** Decrypted passwords by serverId. Who gives them gets a flow with secrets in it; otherwise the user enters them. */
  passwords?: ReadonlyMap<string, string>;
  /** `en-US` or `zh-CN`: of comments and names. */
  language?: string;
}

/**
 * Makes a flow that polls, decodes, reports and writes everything of a model configuration: one tab for the gateway and
 * one for each server, with one client each. It needs node-red-contrib-modbus or node-red-contrib-opcua besides this
 * collection. Ids are the same each time.
 * @returns nodes as Node-RED imports them
 */
export function generateFlow({ devices }: ModelConfiguration, options: GeneratedFlowOptions): FlowNode[] {
  const ids = idsOf(options.gateway);
  const modbus = new Map<string, ModbusDevice[]>();
  for (const device of devices) {
    if (device.kind !== 'modbus') continue;
    const { serverId } = device.server;
    modbus.set(serverId, [...(modbus.get(serverId) ?? []), device]);
  }
  return [
    ...gatewayTab(
      devices.map(({ productKey, deviceName }) => ({ productKey, deviceName })),
      ids,
      options,
    ),
    ...[...modbus.values()].flatMap((group) => {
      const [first] = group;
      return first === undefined ? [] : modbusTab(first.server, group, ids, options);
    }),
  ];
}

interface Names {
  productKey: string;
  deviceName: string;
}

function gatewayTab(
  devices: readonly Names[],
  ids: Ids,
  { gateway, name, language }: GeneratedFlowOptions,
): FlowNode[] {
  const texts = flowTexts(language);
  const canvas = new Canvas(
    ids('tab'),
    name === undefined ? texts.gatewayTab : `${texts.gatewayTab} ${name}`,
    texts.gatewayInfo,
  );
  const [list, login, result] = [ids('list'), ids('login'), ids('result')] as const;
  canvas.comment(ids('online'), texts.online, texts.onlineInfo);
  canvas.add(0, {
    id: ids('state'),
    type: 'alink-lifecycle',
    name: texts.state,
    device: gateway,
    own: true,
    subDevices: false,
    notices: false,
    initial: true,
    wires: [[list]],
  });
  const sorted = [...devices].sort((a, b) => thingKey(a).localeCompare(thingKey(b), 'en'));
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
  canvas.down(2);
  canvas.comment(ids('errors'), texts.errors, '');
  addCatch(canvas, ids, 'errors', texts.problem);
  return canvas.nodes;
}
