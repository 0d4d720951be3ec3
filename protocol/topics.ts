import { OPERATIONS, type OperationName } from './catalogue';
import type { Direction, Operation, TopicVariables } from './catalogue/types';
import { utf8Length } from './identity';
import { LIMITS } from './limits';

/** Why a text cannot be published to or subscribed. */
export type TopicProblem = 'empty' | 'tooLong' | 'badWildcard' | 'badCharacter';

const PLACEHOLDER = /\{(\w+)\}/g;
// MQTT forbids NUL; other control characters have no place in a topic either.
const CONTROL = /\p{Cc}/u;

/**
 * Fills a topic or method template of the catalogue.
 * @throws RangeError when a placeholder has no value or the value would change the topic's levels
 */
export function formatTopic(template: string, variables: Readonly<Record<string, string>>): string {
  return template.replace(PLACEHOLDER, (_, name: string) => {
    const key = name === 'pk' ? 'productKey' : name === 'dn' ? 'deviceName' : name;
    const value = Object.hasOwn(variables, key) ? variables[key] : undefined;
    if (value === undefined || value === '') throw new RangeError(`${template}: ${name} has no value`);
    const bad = name === 'topic' ? /[+#]/ : /[+#/]/;
    if (bad.test(value) || CONTROL.test(value))
      throw new RangeError(`${template}: ${name} cannot be "${value}"`);
    return value;
  });
}

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

/** An operation of the catalogue found by a concrete topic. */
export interface FoundOperation {
  operation: Operation & { name: OperationName };
  variables: TopicVariables;
}

interface Pattern {
  operation: Operation & { name: OperationName };
  levels: readonly string[];
  /** `{topic}` at the end takes any number of levels. */
  open: boolean;
  /** Levels that are fixed text; the most specific pattern wins. */
  fixed: number;
}

/** Which operation a request on this topic is. @returns undefined for a topic that no operation uses */
export function findOperation(direction: Direction, topic: string): FoundOperation | undefined {
  return find(REQUESTS[direction], topic);
}

/** Which operation an answer on this topic belongs to; `direction` is that of the request. */
export function findReply(direction: Direction, topic: string): FoundOperation | undefined {
  return find(REPLIES[direction], topic);
}

const REQUESTS = { up: index('up', requestTopics), down: index('down', requestTopics) };
const REPLIES = { up: index('up', replyTopics), down: index('down', replyTopics) };

function requestTopics({ topic, alternateTopics = [] }: Operation): string[] {
  return [topic, ...alternateTopics];
}

function replyTopics({ replyTopic }: Operation): string[] {
  return replyTopic === undefined ? [] : [replyTopic];
}

// By number of levels; open patterns stand under every number from theirs up to the deepest topic.
function index(direction: Direction, topics: (operation: Operation) => string[]): Map<number, Pattern[]> {
  const byLength = new Map<number, Pattern[]>();
  for (const operation of OPERATIONS) {
    if (operation.direction !== direction) continue;
    for (const topic of topics(operation)) {
      const levels = topic.split('/');
      const open = levels.at(-1) === '{topic}';
      const fixed = levels.filter((level) => !level.startsWith('{')).length;
      const pattern: Pattern = { operation, levels, open, fixed };
      for (let length = levels.length; length <= (open ? levels.length + 12 : levels.length); length++) {
        byLength.set(length, [...(byLength.get(length) ?? []), pattern]);
      }
    }
  }
  for (const patterns of byLength.values()) patterns.sort((a, b) => b.fixed - a.fixed);
  return byLength;
}

function find(patterns: Map<number, Pattern[]>, topic: string): FoundOperation | undefined {
  const levels = topic.split('/');
  for (const pattern of patterns.get(levels.length) ?? []) {
    const variables = match(pattern, levels);
    if (variables) return { operation: pattern.operation, variables };
  }
  return undefined;
}

function match(pattern: Pattern, levels: readonly string[]): TopicVariables | undefined {
  const variables: Record<string, string> = {};
  for (let i = 0; i < pattern.levels.length; i++) {
    const expected = pattern.levels[i] ?? '';
    const level = levels[i] ?? '';
    if (!expected.startsWith('{')) {
      if (expected !== level) return undefined;
      continue;
    }
    const name = expected.slice(1, -1);
    const value = pattern.open && i === pattern.levels.length - 1 ? levels.slice(i).join('/') : level;
    if (value === '') return undefined;
    variables[name === 'pk' ? 'productKey' : name === 'dn' ? 'deviceName' : name] = value;
  }
  // Topics of the connection itself name no device (`/ext/register`).
  return { productKey: '', deviceName: '', ...variables };
}
