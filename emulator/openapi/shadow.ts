import {
  EnvelopeError,
  formatTopic,
  isJsonObject,
  type JsonObject,
  operation,
  parseJson,
} from '../../protocol';
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
  const message = readMessage(parameters.text('ShadowMessage'));
  const whole = parameters.optional('DeltaUpdate') !== 'true';
  const now = platform.clock();
  try {
    device.shadow.want({ state: message.state, version: message.version }, whole, now);
  } catch (thrown) {
    if (!(thrown instanceof ShadowError)) throw thrown;
    throw new ActionError(
      thrown.code === 409 ? 'iot.shadow.VersionConflict' : 'iot.shadow.InvalidMessage',
      thrown.message,
    );
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

function readMessage(text: string): JsonObject {
  try {
    const message = parseJson(text);
    if (isJsonObject(message) && message.method === 'update') return message;
  } catch (thrown) {
    if (!(thrown instanceof EnvelopeError)) throw thrown;
  }
  throw new ActionError(
    'iot.shadow.InvalidMessage',
    'ShadowMessage is not an object with the method update.',
  );
}

export const SHADOW_ACTIONS = { GetDeviceShadow: getDeviceShadow, UpdateDeviceShadow: updateDeviceShadow };
