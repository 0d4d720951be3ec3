import type { DeviceIdentity } from '../identity';

/** Who sends the request: the device (up) or the platform (down). */
export type Direction = 'up' | 'down';

/** What an operation is for; the editor's list and the docs' table are grouped by it. */
export type Purpose =
  | 'property'
  | 'event'
  | 'service'
  | 'raw'
  | 'desired'
  | 'thingModel'
  | 'shadow'
  | 'tag'
  | 'config'
  | 'log'
  | 'diagnosis'
  | 'time'
  | 'topology'
  | 'session'
  | 'ota'
  | 'file'
  | 'job'
  | 'custom'
  | 'system';

/** How request and answer are written. */
export type PayloadFormat =
  /** `{"id","version","params","method","sys"}` and `{"id","code","data"}` (B.0). */
  | 'alink'
  /** JSON with a shape of its own: shadow, NTP, OTA, session messages. */
  | 'json'
  /** Length-prefixed JSON header, data, CRC (B.7). */
  | 'frame'
  /** Bytes that only the product's script understands, or the user's own. */
  | 'opaque';

/** Type of a parameter, as far as a form or a check needs it. */
export type ParameterType = 'text' | 'number' | 'boolean' | 'object' | 'list' | 'identity' | 'time' | 'any';

export interface Parameter {
  name: string;
  type: ParameterType;
  required: boolean;
  /** Allowed values, when they are a closed set. */
  values?: readonly (string | number)[];
  /** Value a form starts with. */
  default?: string | number | boolean;
}

/** Whether `params` is an object with these parameters, a list of such objects, a list of texts, or free. */
export type ParamsShape = 'object' | 'listOfObjects' | 'listOfTexts' | 'map' | 'free' | 'none';

/**
 * One operation of the Alink protocol. Topic templates hold `{pk}`, `{dn}` and further placeholders in braces
 * (`{event}`, `{service}`, `{msgId}`, `{topic}`); `{topic}` stands for any number of levels.
 */
export interface Operation {
  /** Name in this catalogue: the method where the protocol has one, else a name in the same style. */
  name: string;
  /** Row of section B of the protocol reference. */
  row: number;
  purpose: Purpose;
  direction: Direction;
  topic: string;
  /** Absent when nothing is answered. Equal to `topic` for custom-topic RRPC. */
  replyTopic?: string;
  /** Further topics on which the request comes (section J rows 16, 27). */
  alternateTopics?: readonly string[];
  /** Further topics on which the answer may come (section J row 35). */
  alternateReplyTopics?: readonly string[];
  /** Method template; absent when the message has none. */
  method?: string;
  format: PayloadFormat;
  qos: 0 | 1;
  params: ParamsShape;
  /** Where the payload carries the parameters: `data` only for the gateway model configuration. */
  paramsIn?: 'params' | 'data' | 'payload';
  parameters: readonly Parameter[];
  /** Named limits, in the unit the name says. */
  limits?: Readonly<Record<string, number>>;
  /** Codes that a source names for this operation, besides 200. 429, 460 and 500 can come from any. */
  codes: readonly number[];
  /** Only a gateway may start or receive it. */
  gatewayOnly?: boolean;
  /** The device may start it from a flow with no machinery of its own (`alink-request`). */
  requestable: boolean;
  /** Pushed without SUBSCRIBE when CONNECT had `_ss=1` (A.9): which of its topics. */
  autoSubscribed?: 'request' | 'reply';
}

/** Values of the placeholders of a topic or method template. */
export type TopicVariables = DeviceIdentity & Readonly<Record<string, string>>;
