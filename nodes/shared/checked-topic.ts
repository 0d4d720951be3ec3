import type { NodeAPI } from 'node-red';
import type { DeviceIdentity } from '../../protocol';
import { fullTopic, type TopicSource, topicRefusal } from '../../protocol/own-topics';
import { AlinkError } from '../../sdk';
import { badSettings } from './config';
import { say } from './runtime-messages';

/** Full filter of a dialog's topic. @throws AlinkError `badSettings` saying what is wrong with it */
export function checkedFilter(
  RED: NodeAPI,
  text: string,
  source: TopicSource,
  identity: DeviceIdentity,
): string {
  const filter = fullTopic(text, source, identity);
  const reason = reasonAgainst(RED, filter, source, 'filter', identity);
  if (reason !== undefined) throw badSettings('topic', reason);
  return filter;
}

/** Full topic to publish to. @throws AlinkError `invalidInput` saying what is wrong with it */
export function checkedTopic(RED: NodeAPI, text: string, identity: DeviceIdentity): string {
  const topic = fullTopic(text, 'topic', identity);
  const reason = reasonAgainst(RED, topic, 'topic', 'publish', identity);
  if (reason === undefined) return topic;
  throw new AlinkError('invalidInput', reason, { details: { field: 'topic', reason } });
}

function reasonAgainst(
  RED: NodeAPI,
  topic: string,
  source: TopicSource,
  use: 'filter' | 'publish',
  identity: DeviceIdentity,
): string | undefined {
  const refusal = topicRefusal(topic, source, use, identity);
  if (refusal === undefined) return undefined;
  const values = { topic: topic.slice(0, 200), ...identity };
  return say(RED, `topicRule.${refusal}`, values, `${values.topic}: ${refusal}`);
}
