import type { DeviceIdentity } from './identity';
import { LIMITS } from './limits';
import { filterProblem, type TopicProblem, topicProblem } from './topic-check';

/** What a topic is for: a device's own, broadcasts to its product, or calls that wait for an answer (B.1 row 11). */
export type TopicSource = 'topic' | 'broadcast' | 'rrpc';

/** Why a topic cannot be used; key of the explanation under `topicRule` in the locales. */
export type TopicRefusal = TopicProblem | 'tooDeep' | 'notOwn' | 'notBroadcast';

const OPEN_PLACEHOLDER = /\$\{(productKey|deviceName)\}/g;

/** Puts the device's names in place of `${productKey}` and `${deviceName}`. */
export function fillNames(text: string, identity: DeviceIdentity): string {
  return text.replace(OPEN_PLACEHOLDER, (_, name: keyof DeviceIdentity) => identity[name]);
}

/**
 * The full topic of what people write: `user/get` is short for `/{pk}/{dn}/user/get`, and among broadcasts `news` for
 * `/broadcast/{pk}/news` (B.8 rows 100, 102).
 */
export function fullTopic(text: string, source: TopicSource, identity: DeviceIdentity): string {
  const { productKey, deviceName } = identity;
  const filled = fillNames(text.trim(), identity);
  if (filled === '' || filled.startsWith('/')) return filled;
  return source === 'broadcast'
    ? `/broadcast/${productKey}/${filled}`
    : `/${productKey}/${deviceName}/${filled}`;
}

/** What keeps a full topic from being subscribed (`filter`) or published; undefined when nothing does. */
export function topicRefusal(
  topic: string,
  source: TopicSource,
  use: 'filter' | 'publish',
  identity: DeviceIdentity,
): TopicRefusal | undefined {
  const { productKey, deviceName } = identity;
  const problem = use === 'filter' ? filterProblem(topic) : topicProblem(topic);
  if (problem) return problem;
  if (topic.split('/').length - 1 > LIMITS.topicLevels) return 'tooDeep';
  const own = `/${productKey}/${deviceName}/`;
  if (source === 'topic' && !(topic.startsWith(own) && topic.length > own.length)) return 'notOwn';
  const broadcast = `/broadcast/${productKey}/`;
  if (source === 'broadcast' && !(topic.startsWith(broadcast) && topic.length > broadcast.length)) {
    return 'notBroadcast';
  }
  return undefined;
}

/** Where broadcasts to every online device of a product arrive, without having been subscribed (B.8 row 101). */
export function productBroadcasts({ productKey, deviceName }: DeviceIdentity): string {
  return `/sys/${productKey}/${deviceName}/broadcast/request/+`;
}

/** The topic that a caller named, out of the one that its call came on. */
export function calledTopic(topic: string): string {
  const behind = /^\/ext\/rrpc\/[^/]+(\/.*)$/.exec(topic)?.[1];
  return behind ?? topic;
}
