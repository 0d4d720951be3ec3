import { utf8Length } from './identity';
import { LIMITS } from './limits';

/** Why a text cannot be published to or subscribed. */
export type TopicProblem = 'empty' | 'tooLong' | 'badWildcard' | 'badCharacter';

// MQTT forbids NUL; other control characters have no place in a topic either.
const CONTROL = /\p{Cc}/u;

/** Whether an MQTT filter with `+` and `#` covers a topic. */
export function topicMatches(filter: string, topic: string): boolean {
  if (filter === topic) return true;
  const filterLevels = filter.split('/');
  const topicLevels = topic.split('/');
  for (let i = 0; i < filterLevels.length; i++) {
    const level = filterLevels[i];
    if (level === '#') return true;
    if (i >= topicLevels.length || (level !== '+' && level !== topicLevels[i])) return false;
  }
  return filterLevels.length === topicLevels.length;
}

/** Checks a topic that is to be published to (section D). @returns undefined when usable */
export function topicProblem(topic: string): TopicProblem | undefined {
  if (topic.includes('+') || topic.includes('#')) return 'badWildcard';
  return commonProblem(topic);
}

/** Checks a filter that is to be subscribed. @returns undefined when usable */
export function filterProblem(filter: string): TopicProblem | undefined {
  const levels = filter.split('/');
  const wrong = levels.some(
    (level, i) =>
      (level.includes('#') && (level !== '#' || i < levels.length - 1)) ||
      (level.includes('+') && level !== '+'),
  );
  return wrong ? 'badWildcard' : commonProblem(filter);
}

function commonProblem(topic: string): TopicProblem | undefined {
  if (topic === '') return 'empty';
  if (CONTROL.test(topic)) return 'badCharacter';
  return utf8Length(topic) > LIMITS.topicBytes ? 'tooLong' : undefined;
}
