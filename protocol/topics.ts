import { OPERATIONS, type OperationName } from './catalogue';
import type { Direction, Operation, TopicVariables } from './catalogue/types';
import type { DeviceIdentity } from './identity';

const PLACEHOLDER = /\{(\w+)\}/g;
// MQTT forbids NUL; other control characters have no place in a topic either.
const CONTROL = /\p{Cc}/u;

/**
 * Fills a topic or method template of the catalogue.
 * @throws RangeError when a placeholder has no value or the value would change the topic's levels
 */
export function formatTopic(template: string, variables: Readonly<Record<string, string>>): string {
  return template.replace(PLACEHOLDER, (_, name: string) => {
    const key = variableName(name);
    const value = Object.hasOwn(variables, key) ? variables[key] : undefined;
    if (value === undefined || value === '') throw new RangeError(`${template}: ${name} has no value`);
    const bad = name === 'topic' ? /[+#]/ : /[+#/]/;
    if (bad.test(value) || CONTROL.test(value))
      throw new RangeError(`${template}: ${name} cannot be "${value}"`);
    return value;
  });
}

/** An operation of the catalogue found by a concrete topic. */
export interface FoundOperation {
  operation: Operation & { name: OperationName };
  variables: TopicVariables;
}

/** `{service}_reply` is the placeholder `service` with a suffix. */
interface Placeholder {
  at: number;
  name: string;
  suffix: string;
}

interface Pattern {
  operation: Operation & { name: OperationName };
  /** Levels that are fixed text, the one that tells most operations apart first. */
  fixed: ReadonlyArray<readonly [at: number, text: string]>;
  placeholders: ReadonlyArray<Placeholder>;
  /** Where `{topic}` begins, which takes all levels from there. */
  openAt: number | undefined;
}

// First levels of the platform's own topics; no productKey is called so.
const SYSTEM_LEVELS = new Set(['sys', 'icsys', 'ext', 'ota', 'shadow', 'broadcast', 'as']);
// Topics have at most 7 levels (section D); deeper ones are found too, but not without end.
const DEEPEST_OPEN_LEVELS = 12;

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

function replyTopics({ replyTopic, alternateReplyTopics = [] }: Operation): string[] {
  return replyTopic === undefined ? [] : [replyTopic, ...alternateReplyTopics];
}

// By number of levels; open patterns stand under every number from theirs up.
function index(direction: Direction, topics: (operation: Operation) => string[]): Map<number, Pattern[]> {
  const byLength = new Map<number, Pattern[]>();
  for (const operation of OPERATIONS) {
    if (operation.direction !== direction) continue;
    for (const topic of topics(operation)) {
      const levels = topic.split('/');
      const pattern = toPattern(operation, levels);
      const deepest = pattern.openAt === undefined ? levels.length : levels.length + DEEPEST_OPEN_LEVELS;
      for (let length = levels.length; length <= deepest; length++) {
        byLength.set(length, [...(byLength.get(length) ?? []), pattern]);
      }
    }
  }
  // The most specific pattern wins.
  for (const patterns of byLength.values()) patterns.sort((a, b) => b.fixed.length - a.fixed.length);
  return byLength;
}

function toPattern(operation: Pattern['operation'], levels: readonly string[]): Pattern {
  const fixed: Array<readonly [number, string]> = [];
  const placeholders: Placeholder[] = [];
  levels.forEach((level, at) => {
    const [, name, suffix = ''] = /^\{(\w+)\}(\w*)$/.exec(level) ?? [];
    if (name === undefined) fixed.push([at, level]);
    else placeholders.push({ at, name: variableName(name), suffix });
  });
  const openAt = levels.at(-1) === '{topic}' ? levels.length - 1 : undefined;
  // From the end, because the beginnings are mostly alike.
  return { operation, fixed: fixed.reverse(), placeholders, openAt };
}

function find(patterns: Map<number, Pattern[]>, topic: string): FoundOperation | undefined {
  const levels = topic.split('/');
  for (const pattern of patterns.get(levels.length) ?? []) {
    if (!pattern.fixed.every(([at, text]) => levels[at] === text)) continue;
    const variables = readVariables(pattern, levels);
    if (variables) return { operation: pattern.operation, variables };
  }
  return undefined;
}

function readVariables(
  { placeholders, openAt }: Pattern,
  levels: readonly string[],
): TopicVariables | undefined {
  // Topics of the connection itself name no device (`/ext/register`).
  const variables: Record<string, string> & DeviceIdentity = { productKey: '', deviceName: '' };
  for (const { at, name, suffix } of placeholders) {
    const level = (at === openAt ? levels.slice(at).join('/') : levels[at]) ?? '';
    if (!level.endsWith(suffix)) return undefined;
    const value = level.slice(0, level.length - suffix.length);
    if (value === '') return undefined;
    if (at === 1 && name === 'productKey' && SYSTEM_LEVELS.has(value)) return undefined;
    variables[name] = value;
  }
  return variables;
}

function variableName(placeholder: string): string {
  if (placeholder === 'pk') return 'productKey';
  return placeholder === 'dn' ? 'deviceName' : placeholder;
}
