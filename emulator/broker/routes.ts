import {
  type DeviceIdentity,
  findOperation,
  findReply,
  formatTopic,
  type Operation,
  type OperationName,
  type TopicVariables,
  topicProblem,
} from '../../protocol';
import type { Device } from '../registry/device';
import { mayPublishCustom } from './rights';

/** Where a message of a device goes. */
export type Route =
  | {
      kind: 'request' | 'reply' | 'custom';
      device: Device;
      operation: Operation & { name: OperationName };
      variables: TopicVariables;
      replyTopic: string | undefined;
      method: string | undefined;
    }
  | {
      kind: 'none';
      reason: string;
      /** Whose topic it is, when it is one of a device that the connection does not speak for. */
      foreign?: DeviceIdentity;
    };

/**
 * Finds the operation behind a topic that a device published to.
 * @param speaksFor the device of these names, when the connection may speak for it
 */
export function findRoute(topic: string, speaksFor: (identity: DeviceIdentity) => Device | undefined): Route {
  // Levels become parts of the answer's topic, so a topic that cannot be one ends here.
  const problem = topicProblem(topic);
  if (problem !== undefined) return { kind: 'none', reason: `not a topic of the platform (${problem})` };
  // Section J row 14: one guide misprints the prefix.
  const known = topic.startsWith('/icsys/') ? topic.replace('/icsys/', '/sys/') : topic;
  let foreign: DeviceIdentity | undefined;
  for (const [kind, found] of [
    ['request', findOperation('up', known)],
    ['reply', findReply('down', known)],
  ] as const) {
    if (found === undefined) continue;
    const { operation, variables } = found;
    const owner = operation.name === 'ext.rrpc.custom' ? ownerOf(variables.topic) : variables;
    const device = speaksFor(owner);
    if (device === undefined) {
      // An answer that nobody takes needs no answer.
      if (kind === 'request') foreign ??= { productKey: owner.productKey, deviceName: owner.deviceName };
      continue;
    }
    if (operation.name === 'user.publish') {
      if (!mayPublishCustom(device.product, device.identity, topic)) {
        return { kind: 'none', reason: 'no right to publish to this topic' };
      }
      return { kind: 'custom', device, operation, variables, replyTopic: undefined, method: undefined };
    }
    const replyTopic =
      kind === 'request' && operation.replyTopic !== undefined
        ? formatTopic(operation.replyTopic, variables)
        : undefined;
    const method = operation.method?.includes('{service}')
      ? undefined
      : operation.method && formatTopic(operation.method, variables);
    return { kind, device, operation, variables, replyTopic, method };
  }
  const reason = "neither an operation of the protocol nor one of the device's own topics";
  return { kind: 'none', reason, ...(foreign === undefined ? {} : { foreign }) };
}

/** An RRPC with a custom topic names its device only in that topic. */
function ownerOf(topic = ''): DeviceIdentity {
  const levels = topic.split('/');
  const [productKey = '', deviceName = ''] = levels[0] === 'sys' ? levels.slice(1) : levels;
  return { productKey, deviceName };
}
