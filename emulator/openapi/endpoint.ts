import { randomUUID } from 'node:crypto';
import type { AccessKey } from '../config';
import type { Platform } from '../platform';
import {
  queryDeviceEventData,
  queryDevicePropertiesData,
  queryDevicePropertyData,
  queryDevicePropertyStatus,
} from './data';
import { DESIRED_ACTIONS } from './desired';
import { DEVICE_GROUP_ACTIONS } from './device-groups';
import {
  batchGetDeviceState,
  deleteDevice,
  disableThing,
  enableThing,
  getDeviceStatus,
  queryDeviceDetail,
  registerDevice,
  resetThing,
} from './devices';
import { DOWNLINK_ACTIONS } from './downlink';
import { FILE_ACTIONS } from './files';
import { JOB_ACTIONS } from './jobs';
import { MESSAGE_ACTIONS } from './messages';
import { OTA_FIRMWARE_ACTIONS } from './ota-firmware';
import { OTA_JOB_ACTIONS } from './ota-jobs';
import { OTA_MODULE_ACTIONS } from './ota-modules';
import { OTA_TASK_ACTIONS } from './ota-views';
import { ActionError, ActionParameters } from './parameters';
import { PRODUCT_ACTIONS } from './products';
import { SCRIPT_ACTIONS } from './scripts';
import { SHADOW_ACTIONS } from './shadow';
import { checkSignature, type OpenApiRequest, type SignatureFault } from './signature';
import { TAG_ACTIONS } from './tags';
import { THING_MODEL_ACTIONS } from './thing-model';
import { TOPIC_ROUTE_ACTIONS } from './topic-routes';
import { TOPOLOGY_ACTIONS } from './topology';

/** What an action adds to the answer beside `Success` and `RequestId`; some wait for a device. @throws ActionError */
type Action = (parameters: ActionParameters) => object | Promise<object>;

/** The platform's API, version 2018-01-20, as far as the emulator has it. */
const ACTIONS: Readonly<Record<string, Action>> = {
  GetDeviceStatus: getDeviceStatus,
  BatchGetDeviceState: batchGetDeviceState,
  QueryDeviceDetail: queryDeviceDetail,
  RegisterDevice: registerDevice,
  DeleteDevice: deleteDevice,
  DisableThing: disableThing,
  EnableThing: enableThing,
  ResetThing: resetThing,
  QueryDevicePropertyStatus: queryDevicePropertyStatus,
  QueryDevicePropertyData: queryDevicePropertyData,
  QueryDevicePropertiesData: queryDevicePropertiesData,
  QueryDeviceEventData: queryDeviceEventData,
  ...DOWNLINK_ACTIONS,
  ...DESIRED_ACTIONS,
  ...DEVICE_GROUP_ACTIONS,
  ...MESSAGE_ACTIONS,
  ...PRODUCT_ACTIONS,
  ...SHADOW_ACTIONS,
  ...TAG_ACTIONS,
  ...SCRIPT_ACTIONS,
  ...TOPIC_ROUTE_ACTIONS,
  ...THING_MODEL_ACTIONS,
  ...TOPOLOGY_ACTIONS,
  ...JOB_ACTIONS,
  ...FILE_ACTIONS,
  ...OTA_FIRMWARE_ACTIONS,
  ...OTA_MODULE_ACTIONS,
  ...OTA_JOB_ACTIONS,
  ...OTA_TASK_ACTIONS,
};

/** Names of all actions that the emulator has. */
export const ACTION_NAMES: readonly string[] = Object.keys(ACTIONS);

const FAULTS: Record<SignatureFault, { status: number; message: string }> = {
  MissingAccessKeyId: { status: 400, message: 'AccessKeyId is mandatory for this action.' },
  'InvalidAccessKeyId.NotFound': { status: 404, message: 'Specified access key is not found.' },
  SignatureDoesNotMatch: { status: 403, message: 'Specified signature does not match our calculation.' },
  IncompleteSignature: { status: 400, message: 'The request signature does not conform to the standards.' },
};

export interface OpenApiAnswer {
  status: number;
  body: object;
}

/** Answers one RPC-style request; the action stands in `x-acs-action` or in the `Action` parameter. */
export async function answerOpenApi(
  platform: Platform,
  accessKeys: readonly AccessKey[],
  request: OpenApiRequest,
): Promise<OpenApiAnswer> {
  const requestId = randomUUID().toUpperCase();
  const refuse = (status: number, code: string, message: string): OpenApiAnswer => ({
    status,
    body: { RequestId: requestId, HostId: String(request.headers.host ?? ''), Code: code, Message: message },
  });
  const fault = checkSignature(request, accessKeys);
  if (fault !== undefined) return refuse(FAULTS[fault].status, fault, FAULTS[fault].message);

  const parameters = new Map([...request.query, ...request.form]);
  const name = String(request.headers['x-acs-action'] ?? parameters.get('Action') ?? '');
  const version = String(request.headers['x-acs-version'] ?? parameters.get('Version') ?? '');
  if (version !== '2018-01-20')
    return refuse(400, 'InvalidVersion', 'Specified parameter Version is not valid.');
  const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  if (action === undefined) {
    return refuse(404, 'InvalidAction.NotFound', `Specified api is not found: ${name.slice(0, 64)}.`);
  }
  try {
    const answer = await action(new ActionParameters(platform, parameters, request.origin));
    platform.exchanges.add({ kind: 'http', operation: name, code: 200 });
    return { status: 200, body: { RequestId: requestId, Success: true, Code: '', ...answer } };
  } catch (thrown) {
    if (!(thrown instanceof ActionError)) throw thrown;
    const { code, message } = thrown;
    platform.exchanges.add({ kind: 'http', operation: name, note: `${code}: ${message}` });
    return { status: 200, body: { RequestId: requestId, Success: false, Code: code, ErrorMessage: message } };
  }
}
