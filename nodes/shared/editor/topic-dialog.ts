import type { DeviceIdentity } from '../../../protocol/identity';
import { fullTopic, type TopicSource, topicRefusal } from '../../../protocol/own-topics';
import { currentValue, type Dialog } from './dialog';
import { sharedText, usesEnvironment } from './text';

/** What a node does with the topic of its dialog. */
export interface TopicUse {
  source: (node: EditorNode) => TopicSource;
  use: 'filter' | 'publish';
  /** Whether the field may be blank. */
  mayBeBlank: (source: TopicSource) => boolean;
}

/** The device's names, as far as its own dialog says them. */
function identityOf(deviceId: string): DeviceIdentity | undefined {
  const node = RED.nodes.node(deviceId);
  if (!node || (node.deviceNameFrom ?? 'text') !== 'text') return undefined;
  const productKey = String(node.productKey ?? '');
  const deviceName = String(node.deviceName ?? '');
  if (productKey === '' || deviceName === '' || usesEnvironment(productKey + deviceName)) return undefined;
  return { productKey, deviceName };
}

/** Checks a topic as the runtime will; what only the runtime knows passes. */
export function topicValidator({ source, use, mayBeBlank }: TopicUse): FieldValidator {
  // The editor takes the reason only from a function with two parameters.
  return function validate(this: EditorNode, value: unknown, _options: unknown): true | string {
    const text = String(value ?? '').trim();
    const kind = source(this);
    if (text === '') return mayBeBlank(kind) || sharedText('topicRule.empty');
    const identity = identityOf(currentValue(this, 'node-input', 'device'));
    if (identity === undefined) return true;
    const topic = fullTopic(text, kind, identity);
    if (usesEnvironment(topic)) return true;
    const refusal = topicRefusal(topic, kind, use, identity);
    return refusal === undefined || sharedText(`topicRule.${refusal}`, { topic, ...identity });
  };
}

/**
 * Shows below the topic field what the short form stands for.
 * @param blank what a blank field means
 */
export function watchTopic(
  dialog: Dialog,
  { source }: TopicUse,
  fields: readonly string[],
  blank: () => string,
): void {
  dialog.watch(['topic'], () => {
    const text = dialog.value('topic');
    const identity = identityOf(dialog.value('device'));
    const topic = identity === undefined ? text : fullTopic(text, source(dialog.node), identity);
    dialog.note('topic', text === '' ? blank() : topic === text ? '' : `= ${topic}`);
  });
  // Both the note and the check of the topic go by the other fields too.
  dialog.watch(['device', ...fields], () => {
    $(dialog.field('topic')).trigger('change');
  });
}
