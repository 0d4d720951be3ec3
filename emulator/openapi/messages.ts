import { formatTopic, operation, topicProblem } from '../../protocol';
import type { Device } from '../registry/device';
import { ActionError, type ActionParameters } from './parameters';

/** The platform broadcasts less than it publishes. */
const BROADCAST_BYTES = 64 * 1024;

/** Bytes on a topic of one device; kept for a device that is away when QoS is 1 and its session lasts. */
function pub(parameters: ActionParameters): object {
  const { platform } = parameters;
  const topic = usableTopic(parameters.text('TopicFullName'));
  const product = parameters.product();
  const [, productKey, deviceName = ''] = topic.split('/');
  const device = product.devices.get(parameters.optional('DeviceName') ?? deviceName);
  if (productKey !== product.productKey || device?.identity.deviceName !== deviceName) {
    throw new ActionError('iot.messagebroker.InvalidFormattedTopicName', 'The topic is of no such device.');
  }
  const qos = parameters.number('Qos', 0, { max: 1 }) === 1 ? 1 : 0;
  platform.push(device, topic, parameters.base64('MessageContent'), qos, 'user.push');
  return { MessageId: platform.messageIds.next() };
}

/** The same bytes to many devices of a product, on the topic of each. */
function batchPub(parameters: ActionParameters): object {
  const { platform } = parameters;
  const product = parameters.product();
  const short = parameters.text('TopicShortName').replace(/^\//, '');
  const payload = parameters.base64('MessageContent');
  const qos = parameters.number('Qos', 0, { max: 1 }) === 1 ? 1 : 0;
  const names = parameters.list('DeviceName');
  if (names.length === 0)
    throw new ActionError('MissingDeviceName', 'DeviceName is mandatory for this action.');
  for (const name of names) {
    const device = product.devices.get(name);
    if (device === undefined)
      throw new ActionError('iot.device.NotExistedDevice', `The device ${name} does not exist.`);
    const topic = usableTopic(`/${product.productKey}/${name}/${short}`);
    platform.push(device, topic, payload, qos, 'user.push');
  }
  return { MessageId: platform.messageIds.next() };
}

/**
 * Bytes to all devices that are online: on a broadcast topic that they subscribed (B.8 row 100), or without one on
 * the topic that every device has (row 101).
 */
function pubBroadcast(parameters: ActionParameters): object {
  const { platform } = parameters;
  const product = parameters.product();
  const payload = parameters.base64('MessageContent', BROADCAST_BYTES);
  const name = parameters.optional('TopicFullName');
  const msgId = platform.messageIds.next();
  if (name !== undefined && !usableTopic(name).startsWith(`/broadcast/${product.productKey}/`)) {
    const message = 'The topic must be /broadcast/{ProductKey}/….';
    throw new ActionError('iot.messagebroker.InvalidFormattedTopicName', message);
  }
  for (const device of product.devices.values()) {
    if (device.onlineSince === undefined) continue;
    if (name !== undefined) platform.push(device, name, payload, 1, 'broadcast.custom');
    else platform.push(device, broadcastTopic(device, msgId), payload, 1, 'broadcast.request');
  }
  return { MessageId: Number(msgId) };
}

function broadcastTopic({ identity }: Device, msgId: string): string {
  return formatTopic(operation('broadcast.request').topic, { ...identity, msgId });
}

function usableTopic(topic: string): string {
  const problem = topic.startsWith('/') ? topicProblem(topic) : 'badCharacter';
  if (problem === undefined) return topic;
  throw new ActionError(
    'iot.messagebroker.InvalidFormattedTopicName',
    `The topic cannot be used (${problem}).`,
  );
}

export const MESSAGE_ACTIONS = { Pub: pub, BatchPub: batchPub, PubBroadcast: pubBroadcast };
