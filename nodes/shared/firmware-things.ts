import type { NodeAPI } from 'node-red';
import { type Device, platformKey } from '../../sdk';
import { badSettings } from './config';
import { invalidInput } from './invalid-input';
import { type ThingFirmware, thingFirmware } from './thing-firmware';
import type { DeviceNode } from './types';

const LONGEST_NAME = 64;
const CONTROL = /\p{C}/u;

/** Where a node's device is at home, as far as firmware goes by it. */
export interface FirmwareHome {
  /** Only an emulator may offer files over plain http. */
  isEmulator: boolean;
  firmwareOf(device: Pick<Device, 'identity'>): Promise<ThingFirmware>;
}

/** @param deviceId id of the config node @throws AlinkError why there is none */
export async function firmwareHome(RED: NodeAPI, deviceId: string): Promise<FirmwareHome> {
  const node = RED.nodes.getNode(deviceId) as DeviceNode | null | undefined;
  const owner =
    node?.gatewayId === undefined ? node : (RED.nodes.getNode(node.gatewayId) as DeviceNode | null);
  if (typeof owner?.settings !== 'function') throw badSettings('device', 'no device is chosen', 'noDevice');
  const { platform } = (await owner.settings()).options;
  const userDir = userDirOf(RED);
  return {
    isEmulator: platform.kind === 'emulator',
    firmwareOf: ({ identity }) => thingFirmware(userDir, platformKey(platform), identity),
  };
}

export function userDirOf(RED: NodeAPI): string {
  return RED.settings.userDir ?? '.';
}

/** Whether a text can be the name of a module or version (G.4, B.6). */
export function isFirmwareName(text: string): boolean {
  return text !== '' && text.length <= LONGEST_NAME && text === text.trim() && !CONTROL.test(text);
}

/** The module that a message names: what an OTA node left in it. @throws AlinkError `invalidInput` */
export function moduleOf(msg: { alink?: unknown }): string | undefined {
  const { alink } = msg;
  const module: unknown =
    typeof alink === 'object' && alink !== null ? Reflect.get(alink, 'module') : undefined;
  if (module === undefined || module === null || module === '') return undefined;
  return firmwareName(module, 'msg.alink.module');
}

/** @throws AlinkError `invalidInput` */
export function firmwareName(value: unknown, field: string): string {
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text === 'string' && isFirmwareName(text)) return text;
  throw invalidInput('notFirmwareName', `${field} is no text of 1–${LONGEST_NAME} characters`, { field });
}

/** Name of a module from a dialog. @throws AlinkError `badSettings` */
export function moduleSetting(text: string): string | undefined {
  if (text === '') return undefined;
  if (isFirmwareName(text)) return text;
  throw badSettings('module', `a text of 1–${LONGEST_NAME} characters`);
}
