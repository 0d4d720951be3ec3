import {
  type DeviceIdentity,
  EnvelopeError,
  findOperation,
  formatTopic,
  isJsonObject,
  type Json,
  type OperationName,
  operation,
  parseJson,
  parseRequest,
} from '../../protocol';
import type { IncomingMessage } from '../types';
import type { RequestKind } from './types';

/** What is known of a request before anything in it is read. */
export interface Received {
  topic: string;
  sync: boolean;
  /** Absent when nothing is answered. */
  replyTopic?: string;
  /** Absent for bytes, and for what cannot be read. */
  id?: string | number;
  duplicate: boolean;
}

/** A message of the platform that asks or tells something, before the thing model looks at it. */
export interface ReadRequest extends Received {
  kind: RequestKind;
  operation: OperationName;
  payload: Uint8Array;
  method?: string;
  /** The service, of kind `service`. */
  identifier?: string;
  /** Behind `/ext/rrpc/{msgId}`, of kind `rrpc`; absent for a call without a topic of its own. */
  customTopic?: string;
  params: Json;
  /** The platform asked for an answer. */
  wantsAnswer: boolean;
}

/** A request that cannot be read. */
export interface UnreadableRequest extends Omit<Received, 'id'> {
  id?: never;
  reason: string;
}

export type ReadResult =
  | { is: 'request'; request: ReadRequest }
  | { is: 'unreadable'; request: UnreadableRequest }
  /** Not a request to this device, or none that a flow can take. */
  | { is: 'other' };

const OTHER: ReadResult = { is: 'other' };

type Frame = Omit<
  ReadRequest,
  'kind' | 'id' | 'method' | 'identifier' | 'customTopic' | 'params' | 'wantsAnswer'
>;

/** Finds out what a message of the platform wants (B.1 rows 6–14, B.2 row 21, rows 34, 36, 60 and 89). Never throws. */
export function readDownlink(
  { topic, payload, duplicate }: IncomingMessage,
  identity: DeviceIdentity,
): ReadResult {
  const found = findOperation('down', topic);
  if (found === undefined || !isOwn(found.variables, found.operation.name, identity)) return OTHER;
  const { variables } = found;
  const { name, replyTopic: answers } = found.operation;
  const replyTopic = answers === undefined ? undefined : formatTopic(answers, variables);
  const frame: Frame = {
    operation: name,
    topic,
    payload,
    duplicate,
    sync: false,
    ...(replyTopic === undefined ? {} : { replyTopic }),
  };
  switch (name) {
    case 'thing.service.property.set':
      return envelope(frame, 'propertySet');
    case 'thing.service.property.get':
      return envelope(frame, 'propertyGet');
    case 'thing.service':
      // A plain broker sends our own answers back to us (B.10).
      return variables.service?.endsWith('_reply') ? OTHER : envelope(frame, 'service', variables.service);
    case 'ext.rrpc.service':
      return envelope({ ...frame, sync: true }, 'service', variables.service);
    case 'rrpc.request':
      return rrpc({ ...frame, sync: true });
    case 'ext.rrpc.custom':
      return customRrpc({ ...frame, sync: true }, `/${variables.topic ?? ''}`, identity);
    case 'thing.model.down_raw':
      return bytes(frame, 'raw');
    case 'ext.rrpc.down_raw':
      return bytes({ ...frame, sync: true }, 'raw');
    case 'thing.config.push':
      return envelope(frame, 'configuration');
    case 'thing.model.config.push':
    case 'thing.job.notify':
    case 'thing.config.log.push':
    case 'thing.topo.add.notify':
    case 'thing.topo.change':
    case 'thing.gateway.permit':
    case 'thing.disable':
    case 'thing.enable':
    case 'thing.delete':
      return envelope(frame, 'notice');
    case 'shadow.control':
      return shadowPush(frame);
    default:
      return OTHER;
  }
}

// Topics of an RRPC with a topic of its own name no device in their first levels.
function isOwn(names: DeviceIdentity, operation: OperationName, identity: DeviceIdentity): boolean {
  if (operation === 'ext.rrpc.custom') return true;
  return names.productKey === identity.productKey && names.deviceName === identity.deviceName;
}

function envelope(frame: Frame, kind: RequestKind, service?: string): ReadResult {
  try {
    const { id, method, params: given, data = null, wantsReply } = parseRequest(frame.payload);
    const params = operation(frame.operation).paramsIn === 'data' ? data : given;
    return {
      is: 'request',
      request: {
        ...frame,
        kind,
        id,
        params,
        wantsAnswer: wantsReply,
        ...(method === undefined ? {} : { method }),
        ...(service === undefined ? {} : { identifier: service }),
      },
    };
  } catch (thrown) {
    if (!(thrown instanceof EnvelopeError)) throw thrown;
    return { is: 'unreadable', request: { ...frame, reason: thrown.message } };
  }
}

/** The method tells whether a call without a topic of its own is a service (B.1 row 9). */
function rrpc(frame: Frame): ReadResult {
  const method = methodOf(frame.payload);
  if (method === 'thing.service.property.set') return envelope(frame, 'propertySet');
  if (method === 'thing.service.property.get') return envelope(frame, 'propertyGet');
  const service = /^thing\.service\.([^./]+)$/.exec(method)?.[1];
  return service === undefined ? bytes(frame, 'rrpc') : envelope(frame, 'service', service);
}

/** The platform puts the prefix before any topic, also before those of the thing model with more levels. */
function customRrpc(frame: Frame, customTopic: string, identity: DeviceIdentity): ReadResult {
  const inner = findOperation('down', customTopic);
  const own = inner !== undefined && isOwn(inner.variables, inner.operation.name, identity);
  if (own && inner.operation.name === 'thing.service.property.set') return envelope(frame, 'propertySet');
  if (own && inner.operation.name === 'thing.service.property.get') return envelope(frame, 'propertyGet');
  return bytes(frame, 'rrpc', customTopic);
}

function bytes(frame: Frame, kind: RequestKind, customTopic?: string): ReadResult {
  return {
    is: 'request',
    request: {
      ...frame,
      kind,
      params: null,
      wantsAnswer: frame.replyTopic !== undefined,
      ...(customTopic === undefined ? {} : { customTopic }),
    },
  };
}

/** Answers to our own shadow requests come on the same topic (B.2). */
function shadowPush(frame: Frame): ReadResult {
  try {
    const body = parseJson(frame.payload);
    if (!isJsonObject(body) || body.method !== 'control') return OTHER;
    const { version, payload = null } = body;
    const params = isJsonObject(payload) && version !== undefined ? { ...payload, version } : payload;
    return {
      is: 'request',
      request: { ...frame, kind: 'notice', method: 'control', params, wantsAnswer: false },
    };
  } catch {
    return OTHER; // nobody waits for an answer to what cannot be read
  }
}

function methodOf(payload: Uint8Array): string {
  try {
    const body = parseJson(payload);
    return isJsonObject(body) && typeof body.method === 'string' ? body.method : '';
  } catch {
    return ''; // bytes of the user's own
  }
}
