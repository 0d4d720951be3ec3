import { formatTopic, isJsonObject, type JsonObject, operation } from '../../protocol';
import { controlMessage } from '../handlers/shadow';
import { ShadowError } from '../registry/shadow';
import { ActionError, type ActionParameters } from './parameters';

function getDeviceShadow(parameters: ActionParameters): object {
  return { ShadowMessage: JSON.stringify(parameters.device().shadow.document()) };
}

/** Sets the desired part and tells the device, when it is there to be told. */
function updateDeviceShadow(parameters: ActionParameters): object {
  const { platform } = parameters;
  const device = parameters.device();
  const message = readMessage(parameters);
  const whole = parameters.optional('DeltaUpdate') !== 'true';
  const now = platform.clock();
  try {
    device.shadow.want({ state: message.state, version: message.version }, whole, now);
  } catch (thrown) {
    if (!(thrown instanceof ShadowError)) throw thrown;
    throw refused(REFUSALS[thrown.code], thrown.message);
  }
  // A device that is away asks for the document when it comes back (B.2).
  if (device.shadow.wantsSomething) {
    const { name, topic } = operation('shadow.control');
    const { productKey, deviceName } = device.identity;
    platform.push(
      device,
      formatTopic(topic, { productKey, deviceName }),
      controlMessage(device, now),
      1,
      name,
    );
  }
  return {};
}

function readMessage(parameters: ActionParameters): JsonObject {
  const message = parameters.json('ShadowMessage', 'iot.messagebroker.ShadowMessageIsNotJson');
  if (!isJsonObject(message)) throw refused('ShadowMessageIsNotJson', 'ShadowMessage is not an object.');
  const { method, version } = message;
  if (method === undefined) throw refused('NotFoundMethodInShadowMessage', 'ShadowMessage has no method.');
  if (method !== 'update')
    throw refused('MethodValueIsNotUpdate', 'The method of ShadowMessage is not update.');
  if (version === undefined || version === null) {
    throw refused('NotFoundVersionOrNullVersionValue', 'ShadowMessage has no version.');
  }
  return message;
}

/** The platform's names for what the document refuses. */
const REFUSALS: Record<ShadowError['code'], string> = {
  402: 'NotFoundStateInShadowMessage',
  403: 'InvalidVersionValueInShadowMessage',
  404: 'NotFoundDesireInShadowMessage',
  405: 'NoneElementInDesire',
  408: 'TooManyElementInDesire',
  409: 'InvalidVersionValueInShadowMessage',
  500: 'ShadowMessageLengthIsLarge',
};

function refused(code: string, message: string): ActionError {
  return new ActionError(`iot.messagebroker.${code}`, message);
}

export const SHADOW_ACTIONS = { GetDeviceShadow: getDeviceShadow, UpdateDeviceShadow: updateDeviceShadow };
