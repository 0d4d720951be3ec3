import { utf8Length } from './identity';
import { LIMITS } from './limits';

/** Why a text cannot be published to or subscribed. */
export type TopicProblem = 'empty' | 'tooLong' | 'badWildcard' | 'badCharacter';

// MQTT forbids NUL; other control characters have no place in a topic either.
const CONTROL = /\p{Cc}/u;

const SLASH = 47;
const PLUS = 43;
const HASH = 35;

/**
 * Whether an MQTT filter with `+` and `#` covers a topic; `#` covers the level above it too. Goes letter by letter,
 * because most filters differ from a topic soon and cutting both into levels costs many times as much.
 */
export function topicMatches(filter: string, topic: string): boolean {
  let at = 0;
  for (let i = 0; i < filter.length; i++) {
    const letter = filter.charCodeAt(i);
    if (letter === HASH && isLevel(filter, i)) return true;
    if (letter === PLUS && isLevel(filter, i)) {
      while (at < topic.length && topic.charCodeAt(at) !== SLASH) at++;
    } else if (at < topic.length) {
      if (topic.charCodeAt(at) !== letter) return false;
      at++;
    } else return letter === SLASH && i === filter.length - 2 && filter.charCodeAt(i + 1) === HASH;
  }
  return at === topic.length;
}

/** Whether a wildcard stands alone between two slashes; in a name it is a letter like others. */
function isLevel(filter: string, at: number): boolean {
  const before = at === 0 || filter.charCodeAt(at - 1) === SLASH;
  return before && (at === filter.length - 1 || filter.charCodeAt(at + 1) === SLASH);
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
