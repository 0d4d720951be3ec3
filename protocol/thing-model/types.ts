import type { Json, JsonObject } from '../envelope';

/** Members of a struct, parameters of an event or service. */
export interface Member {
  identifier: string;
  name: string;
  dataType: DataType;
  required: boolean;
}

/** Data type of a value (I.2). Bounds are numbers here although the document writes them as text. */
export type DataType =
  | { type: 'int' | 'float' | 'double'; min?: number; max?: number; unit?: string }
  | { type: 'bool'; labels: Readonly<Record<string, string>> }
  | { type: 'enum'; labels: Readonly<Record<string, string>> }
  | { type: 'text'; length?: number }
  | { type: 'date' }
  | { type: 'struct'; members: readonly Member[] }
  | { type: 'array'; size?: number; item: DataType };

export interface PropertyDefinition {
  identifier: string;
  name: string;
  accessMode: 'r' | 'rw' | 'w';
  required: boolean;
  dataType: DataType;
}

export interface EventDefinition {
  identifier: string;
  name: string;
  type: 'info' | 'alert' | 'error';
  outputData: readonly Member[];
}

export interface ServiceDefinition {
  identifier: string;
  name: string;
  callType: 'async' | 'sync';
  inputData: readonly Member[];
  outputData: readonly Member[];
}

/** A thing model (TSL) after reading; identifiers of modules are `{block}:{id}` (I.1). */
export interface ThingModel {
  productKey?: string;
  properties: ReadonlyMap<string, PropertyDefinition>;
  events: ReadonlyMap<string, EventDefinition>;
  services: ReadonlyMap<string, ServiceDefinition>;
  /** The document as it came. */
  document: JsonObject;
}

/** Rule that a value breaks; each is a key of the locales under `rule`. */
export type Rule =
  | 'unknownIdentifier'
  | 'readOnly'
  | 'notInteger'
  | 'notNumber'
  | 'outOfRange'
  | 'notBool'
  | 'notBoolean'
  | 'notEnum'
  | 'notText'
  | 'tooLong'
  | 'tooManyBytes'
  | 'notDate'
  | 'notStruct'
  | 'unknownMember'
  | 'missing'
  | 'notArray'
  | 'tooManyElements'
  | 'badTime'
  | 'timeAhead'
  | 'tooManyProperties'
  | 'notObject'
  | 'empty'
  | 'badIdentifier'
  | 'notJsonValue';

/** One broken rule, with the platform's code for it (C.4) and what a message needs to name it. */
export interface Problem {
  /** Identifier and members, for example `position.lat` or `samples[3]`. */
  path: string;
  rule: Rule;
  code: number;
  /** Values for the message: `value`, `min`, `max`, `limit`, `expected`. */
  details: Readonly<Record<string, string | number>>;
}

/** A value with the time it was measured (ms since 1970, UTC); without a time the platform takes its own. */
export interface Sample {
  value: Json;
  time?: number;
}
