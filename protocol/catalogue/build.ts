import type { Operation, Parameter, ParameterType } from './types';

type Rest = Partial<Operation> & Pick<Operation, 'row' | 'purpose' | 'topic' | 'params'>;

const SYS = '/sys/{pk}/{dn}/';

/** A request of the device in the common envelope, under `/sys/{pk}/{dn}/`. */
export function up<const Name extends string>(name: Name, rest: Rest): Operation & { name: Name } {
  return entry(name, 'up', rest);
}

/** A request of the platform in the common envelope, under `/sys/{pk}/{dn}/`. */
export function down<const Name extends string>(name: Name, rest: Rest): Operation & { name: Name } {
  return entry(name, 'down', rest);
}

function entry<const Name extends string>(
  name: Name,
  direction: 'up' | 'down',
  rest: Rest,
): Operation & { name: Name } {
  const absolute = rest.topic.startsWith('/');
  const topic = absolute ? rest.topic : SYS + rest.topic;
  const alink = rest.format === undefined;
  return {
    direction,
    format: 'alink',
    qos: 1,
    parameters: [],
    codes: [],
    requestable: false,
    // The common rule: the answer comes on the request's topic with `_reply` behind it (B.0).
    ...(alink ? { replyTopic: `${topic}_reply`, method: name } : {}),
    ...rest,
    name,
    topic,
  };
}

/** Leaves out the reply topic that the common rule would give. */
export function silent<T extends Operation>(operation: T): T {
  const { replyTopic: _, ...rest } = operation;
  return rest as T;
}

/** Leaves out the method, which the common rule would make of the name. */
export function unnamed<T extends Operation>(operation: T): T {
  const { method: _, ...rest } = operation;
  return rest as T;
}

export function required(name: string, type: ParameterType, more: Partial<Parameter> = {}): Parameter {
  return { name, type, required: true, ...more };
}

export function optional(name: string, type: ParameterType, more: Partial<Parameter> = {}): Parameter {
  return { name, type, required: false, ...more };
}

/** Codes of a thing model check that answers to events and packs may carry (C.4). */
export const MODEL_CODES = [
  5159, 5160, 5161, 6207, 6300, 6301, 6302, 6304, 6306, 6307, 6308, 6309, 6310, 6311, 6312, 6313, 6317, 6320,
  6321, 6322, 6324, 6325, 6326, 6328,
] as const;
