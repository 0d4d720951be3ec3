import {
  checkMembers,
  checkValue,
  coerceMembers,
  coerceValue,
  isJsonObject,
  type JsonObject,
  LIMITS,
  problemMessage,
  topicProblem,
} from '../../protocol';
import type { ThingCall } from '../downlink/downlink';
import type { Device } from '../registry/device';
import type { Product } from '../registry/product';
import { page, valueText } from './data';
import { ActionError, type ActionParameters } from './parameters';

/** The platform lets a synchronous service wait this long; here a caller may say less. */
const SERVICE_TIMEOUT_MS = LIMITS.rrpcTimeoutMs.max;

/** Values that are to be set, checked and typed by the thing model before a device sees them (I.3). */
export function settableItems(
  parameters: ActionParameters,
  product: Product,
  most: number = LIMITS.propertiesPerPost,
): JsonObject {
  const items = parameters.json('Items');
  if (!isJsonObject(items) || Object.keys(items).length === 0) {
    throw new ActionError('iot.common.InvalidFormattedParameter', 'Items must be an object of values.');
  }
  const count = Object.keys(items).length;
  if (count > most) {
    const message = `${count} properties, at most ${most} at a time.`;
    throw new ActionError('iot.device.TooManyDevicePropertiesPerTime', message);
  }
  const model = product.thingModel;
  if (model === undefined) return items;
  const typed = Object.entries(items).map(([identifier, given]) => {
    const definition = model.properties.get(identifier);
    if (definition === undefined) {
      throw new ActionError('iot.thing.PropertyNotExisted', `The property ${identifier} does not exist.`);
    }
    if (definition.accessMode === 'r') {
      throw new ActionError('iot.thing.PropertyReadOnly', `The property ${identifier} is read-only.`);
    }
    const value = coerceValue(definition.dataType, given);
    const [problem] = checkValue(definition.dataType, value, identifier);
    if (problem !== undefined)
      throw new ActionError('iot.thing.InvalidPropertyValue', problemMessage(problem));
    return [identifier, value] as const;
  });
  return Object.fromEntries(typed);
}

async function setDeviceProperty(parameters: ActionParameters): Promise<object> {
  const device = activeDevice(parameters.device());
  return { Data: { MessageId: await send(parameters, device, settableItems(parameters, device.product)) } };
}

async function setDevicesProperty(parameters: ActionParameters): Promise<object> {
  const devices = namedDevices(parameters);
  const items = settableItems(parameters, parameters.product());
  await Promise.all(devices.map((device) => send(parameters, device, items)));
  return {};
}

function send({ platform }: ActionParameters, device: Device, params: JsonObject): Promise<string> {
  return platform.downlink
    .send(device, { operation: 'thing.service.property.set', params })
    .catch(scriptFailed);
}

/** Asynchronous services return the id of the message, synchronous ones the result. */
async function invokeThingService(parameters: ActionParameters): Promise<object> {
  const device = activeDevice(parameters.device());
  const { call, isSync } = serviceCall(parameters, device.product);
  const { downlink } = parameters.platform;
  if (!isSync) {
    return { Data: { MessageId: await downlink.send(device, call).catch(scriptFailed), Result: '' } };
  }
  const timeoutMs = rrpcTimeout(parameters);
  const { messageId, outcome } = await downlink.ask(device, call, timeoutMs).catch(scriptFailed);
  if (outcome.status !== 'SUCCESS') throw rrpcError(outcome.status);
  const { code, data, message } = outcome.answer;
  if (code !== 200) {
    throw new ActionError(String(code), message === '' ? `The device answered ${code}.` : message);
  }
  return { Data: { MessageId: messageId, Result: JSON.stringify(data) } };
}

/** The same asynchronous service of many devices. */
async function invokeThingsService(parameters: ActionParameters): Promise<object> {
  const devices = namedDevices(parameters);
  const { call } = serviceCall(parameters, parameters.product());
  const { downlink } = parameters.platform;
  await Promise.all(devices.map((device) => downlink.send(device, call).catch(scriptFailed)));
  return {};
}

function serviceCall(parameters: ActionParameters, product: Product): { call: ThingCall; isSync: boolean } {
  const service = parameters.text('Identifier');
  // Every thing model has it, as a service that the platform makes (I.1); its input is a list.
  if (service === 'get') return propertyGet(parameters, product);
  const args = parameters.optional('Args') === undefined ? {} : parameters.json('Args');
  if (!isJsonObject(args)) {
    throw new ActionError('iot.common.InvalidFormattedParameter', 'Args must be an object.');
  }
  const { thingModel } = product;
  const definition = thingModel?.services.get(service);
  if (thingModel !== undefined && definition === undefined) {
    throw new ActionError('iot.thing.ServiceNotExisted', `The service ${service} does not exist.`);
  }
  if (!/^[^/+#\s]{1,100}$/.test(service)) {
    throw new ActionError('iot.common.InvalidFormattedParameter', 'Identifier cannot name a service.');
  }
  const operation = 'thing.service';
  if (definition === undefined) return { call: { operation, service, params: args }, isSync: false };
  const params = coerceMembers(definition.inputData, args);
  const [problem] = checkMembers(definition.inputData, params, '', true);
  if (problem !== undefined) throw new ActionError('iot.thing.InvalidServiceInput', problemMessage(problem));
  return { call: { operation, service, params }, isSync: definition.callType === 'sync' };
}

/** Reads properties from the device itself; the values come with the message of the result (B.9). */
function propertyGet(
  parameters: ActionParameters,
  { thingModel }: Product,
): { call: ThingCall; isSync: boolean } {
  const args = parameters.optional('Args') === undefined ? [] : parameters.json('Args');
  if (!Array.isArray(args) || !args.every((entry) => typeof entry === 'string')) {
    throw new ActionError('iot.common.InvalidFormattedParameter', 'Args must be a list of identifiers.');
  }
  const unknown = thingModel && args.find((identifier) => !thingModel.properties.has(identifier));
  if (unknown !== undefined) {
    throw new ActionError('iot.thing.PropertyNotExisted', `The property ${unknown} does not exist.`);
  }
  const call = { operation: 'thing.service.property.get', params: args } as const;
  return { call, isSync: false };
}

function queryDeviceServiceData(parameters: ActionParameters): object {
  const device = parameters.device();
  const wanted = parameters.optional('Identifier');
  const fitting = [...device.services].filter(
    ({ identifier }) => wanted === undefined || identifier === wanted,
  );
  const { entries, nextValid, nextTime } = page(parameters, fitting);
  const rows = entries.map(({ identifier, time, input, output }) => ({
    Identifier: identifier,
    Name: device.product.thingModel?.services.get(identifier)?.name ?? identifier,
    Time: String(time),
    InputData: valueText(input),
    OutputData: valueText(output),
  }));
  const next = nextTime === undefined ? {} : { NextTime: nextTime };
  return { Data: { NextValid: nextValid, ...next, List: { ServiceInfo: rows } } };
}

/** RRPC with bytes; what became of it stands in `RrpcCode`. */
async function rrpc(parameters: ActionParameters): Promise<object> {
  const device = parameters.device();
  parameters.text('Timeout');
  const timeoutMs = rrpcTimeout(parameters);
  const payload = parameters.base64('RequestBase64Byte');
  const topic = parameters.optional('Topic');
  if (topic !== undefined && !isOwnTopic(topic, device)) {
    const message = "The topic is not one of the device's own, or holds a wildcard.";
    throw new ActionError('iot.messagebroker.InvalidFormattedTopicName', message);
  }
  const { messageId, outcome } = await parameters.platform.downlink.rrpc(device, payload, timeoutMs, topic);
  const answer = outcome.status === 'SUCCESS' ? Buffer.from(outcome.answer).toString('base64') : '';
  return { RrpcCode: outcome.status, PayloadBase64Byte: answer, MessageId: Number(messageId) };
}

function rrpcTimeout(parameters: ActionParameters): number {
  const { min, max } = LIMITS.rrpcTimeoutMs;
  const code = 'iot.messagebroker.InvalidTimeoutValue';
  return parameters.number('Timeout', SERVICE_TIMEOUT_MS, { min, max, code });
}

// A device can answer only on topics that hold its own names.
function isOwnTopic(topic: string, { identity: { productKey, deviceName } }: Device): boolean {
  const names = `/${productKey}/${deviceName}/`;
  const own = topic.startsWith(names) || topic.startsWith(`/sys${names}`);
  return own && topicProblem(topic) === undefined;
}

/** A device that was never online cannot be asked anything. */
export function activeDevice(device: Device): Device {
  if (device.activatedAt === undefined) {
    throw new ActionError('iot.device.InactiveDevice', 'The device is not activated.');
  }
  if (!device.enabled) throw new ActionError('iot.device.Disabled', 'The device is disabled.');
  return device;
}

function namedDevices(parameters: ActionParameters): Device[] {
  const product = parameters.product();
  const names = parameters.list('DeviceName');
  if (names.length === 0)
    throw new ActionError('MissingDeviceName', 'DeviceName is mandatory for this action.');
  return names.map((name) => {
    const device = product.devices.get(name);
    if (device === undefined)
      throw new ActionError('iot.device.NotExistedDevice', `The device ${name} does not exist.`);
    return activeDevice(device);
  });
}

function rrpcError(status: 'TIMEOUT' | 'OFFLINE' | 'HALFCONN'): ActionError {
  switch (status) {
    case 'TIMEOUT':
      return new ActionError('iot.messagebroker.TIMEOUT', 'The device did not answer in time.');
    case 'OFFLINE':
      return new ActionError('iot.messagebroker.OFFLINE', 'The device is offline.');
    case 'HALFCONN':
      return new ActionError('iot.messagebroker.HALFCONN', 'The device does not receive requests.');
  }
}

/** A passthrough product without a working script cannot be told anything. */
export function scriptFailed(thrown: unknown): never {
  const reason = thrown instanceof Error ? thrown.message : String(thrown);
  throw new ActionError('iot.script.ProtocolToRawDataFailed', reason);
}

export const DOWNLINK_ACTIONS = {
  SetDeviceProperty: setDeviceProperty,
  SetDevicesProperty: setDevicesProperty,
  InvokeThingService: invokeThingService,
  InvokeThingsService: invokeThingsService,
  QueryDeviceServiceData: queryDeviceServiceData,
  RRpc: rrpc,
};
