import { isJsonObject, isOperationName, type Json } from '../protocol';
import type { FaultMatch, FaultRule } from './faults';

/** A fault rule that somebody sent and that makes no sense. */
export class FaultInputError extends Error {
  override readonly name = 'FaultInputError';
}

const MATCH_FIELDS = ['productKey', 'deviceName', 'direction', 'topic', 'operation'];
const ACTIONS = [
  'drop, delay, duplicate, refuse, loseReply, malformReply, kick',
  'wrongDigest, wrongSize, cutAt, corrupt, urlExpired, urlAltered, ignoreRange, redirect, status, slow, wrongCrc',
];
const LONGEST_DELAY_MS = 3_600_000;

/** Reads a rule from JSON. @throws FaultInputError that names the field */
export function readFaultRule(input: Json): FaultRule {
  if (!isJsonObject(input)) throw new FaultInputError('a fault rule is an object');
  const common = {
    ...(input.match === undefined ? {} : { match: readMatch(input.match) }),
    ...(input.times === undefined ? {} : { times: whole(input.times, 'times', 1, Number.MAX_SAFE_INTEGER) }),
  };
  switch (input.action) {
    case 'drop':
    case 'duplicate':
    case 'loseReply':
    case 'malformReply':
    case 'kick':
      return { action: input.action, ...common };
    case 'delay':
      return { action: 'delay', ms: whole(input.ms, 'ms', 0, LONGEST_DELAY_MS), ...common };
    case 'refuse':
      return { action: 'refuse', code: whole(input.code, 'code', 1, 2 ** 31), ...common };
    case 'wrongDigest':
    case 'wrongSize':
    case 'urlExpired':
    case 'urlAltered':
    case 'ignoreRange':
    case 'wrongCrc':
      return { action: input.action, ...common };
    case 'cutAt':
    case 'corrupt': {
      const offset = whole(input.offset, 'offset', 0, Number.MAX_SAFE_INTEGER);
      return { action: input.action, offset, ...common };
    }
    case 'status':
      return { action: 'status', status: whole(input.status, 'status', 400, 599), ...common };
    case 'slow': {
      const bytesPerSecond = whole(input.bytesPerSecond, 'bytesPerSecond', 1, 2 ** 31);
      return { action: 'slow', bytesPerSecond, ...common };
    }
    case 'redirect':
      return { action: 'redirect', ...readDestination(input.to), ...common };
    default:
      throw new FaultInputError(`action is one of ${ACTIONS.join(', ')}`);
  }
}

function readMatch(input: Json): FaultMatch {
  if (!isJsonObject(input)) throw new FaultInputError('match is an object');
  for (const [name, value] of Object.entries(input)) {
    if (!MATCH_FIELDS.includes(name)) throw new FaultInputError(`match.${name} is unknown`);
    if (typeof value !== 'string') throw new FaultInputError(`match.${name} must be a text`);
  }
  const { direction, operation } = input;
  // A rule with a mistyped name would wait for ever, and nobody would know why nothing happens.
  if (typeof operation === 'string' && !isOperationName(operation)) {
    throw new FaultInputError(`match.operation: there is no operation ${operation.slice(0, 100)}`);
  }
  if (direction !== undefined && direction !== 'up' && direction !== 'down') {
    throw new FaultInputError('match.direction is up or down');
  }
  return input as FaultMatch;
}

function readDestination(to: Json | undefined): { to?: string } {
  if (to === undefined) return {};
  if (typeof to !== 'string' || !URL.canParse(to)) throw new FaultInputError('to is an address');
  return { to };
}

function whole(value: Json | undefined, name: string, min: number, max: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
  throw new FaultInputError(`${name} must be a whole number of ${min}–${max}`);
}
