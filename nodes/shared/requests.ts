import type { Node, NodeAPI, NodeMessage } from 'node-red';
import { type Json, thingKey } from '../../protocol';
import type {
  AlinkError,
  Device,
  IncomingRequest,
  RequestAnswer,
  RequestFilter,
  RequestHandling,
} from '../../sdk';
import { badSettings, readNumber } from './config';
import { toAlinkError, toFlowError } from './flow-error';
import { failed, linkThing, namesOf, sentences, type ThingLink } from './flow-node';
import type { AlinkInfo } from './types';

/** Fields that every node which takes requests of the platform has in its dialog. */
export interface RequestDef {
  device: string;
  /** `now`: the node answers before the flow gets the message; `flow`: a reply node answers. */
  reply: 'now' | 'flow';
  /** Seconds that the flow has; empty: 5. */
  timeLimit: string;
  /** At a gateway: requests to each of its sub-devices too. */
  subDevices?: boolean;
}

/** `msg.alink` of a request; plain JSON, so that it survives context, JSON nodes and whatever else lies on the way. */
export interface RequestInfo extends AlinkInfo {
  /**
   * `pending`: waits for the reply node; `answered`: by this node; `received`: nobody waits for an answer;
   * `pushed`: the platform only told something;
   * `failed`: in errors, when it was refused or not answered in time.
   */
  status: 'pending' | 'answered' | 'received' | 'pushed' | 'failed';
  /** Token for the reply node; only while `pending`. */
  request?: string;
  productKey: string;
  deviceName: string;
  /** The caller waits for the answer right now. */
  sync: boolean;
  /** When it arrived, ms since 1970. */
  time: number;
  /** Versions of desired values, by property. */
  versions?: Record<string, number>;
}

export interface RequestsOptions {
  /** Which requests; a function when the filter names the device. @throws AlinkError `badSettings` */
  filters: readonly RequestFilter[] | ((device: Device) => readonly RequestFilter[]);
  handling?: Omit<RequestHandling, 'timeLimitMs' | 'onProblem' | 'subDevices'>;
  /** Who answers. */
  reply: (request: IncomingRequest) => 'now' | 'flow';
  /** Answer given at once; 200 without data unless told. */
  receipt?: RequestAnswer;
  /** Whether a flow that does not answer this request in time is no mistake. */
  mayStaySilent?: (request: IncomingRequest) => boolean;
  /** What the flow gets, `alink` aside; `{ payload: params }` unless told. */
  messages?: (request: IncomingRequest) => readonly NodeMessage[];
}

/**
 * The one way a request of the platform becomes a message, and its problems errors that a catch node sees.
 * Settings that cannot work are reported like those of any node of a device.
 */
export function handleRequests(
  RED: NodeAPI,
  node: Node,
  def: Pick<RequestDef, 'device' | 'timeLimit' | 'subDevices'>,
  options: RequestsOptions,
): ThingLink {
  const { filters, reply, receipt = {}, mayStaySilent, messages = plainMessage } = options;

  const onProblem = (error: AlinkError, request: IncomingRequest | undefined) => {
    if (link.signal.aborted) return;
    if (error.key === 'notAnswered' && request && mayStaySilent?.(request)) return;
    link.status.error(error);
    const flowError = toFlowError(RED, error);
    const failure = failed(RED, error, flowError.message);
    if (request === undefined) node.error(flowError, { alink: failure } as NodeMessage);
    else {
      const alink = { ...requestInfo(RED, request, 'failed'), ...failure };
      node.error(flowError, { payload: payloadOf(request), ...addressee(request), alink } as NodeMessage);
    }
  };

  const handle = (request: IncomingRequest) => {
    const answersNow = request.wantsAnswer && reply(request) === 'now';
    if (answersNow && !answer(request, receipt, onProblem)) return;
    const status = statusOf(request, answersNow);
    link.status.success();
    const out = messages(request).map((message) => ({
      ...message,
      ...addressee(request),
      alink: requestInfo(RED, request, status),
    }));
    node.send([out]);
  };

  let own: Device | undefined;
  // What the flow makes of a sub-device's request goes back to that sub-device by itself.
  const addressee = ({ identity }: IncomingRequest) =>
    own === undefined || thingKey(identity) === thingKey(own.identity)
      ? {}
      : { device: namesOf({ identity }) };

  const open = (device: Device) => {
    own = device;
    const seconds = readNumber(def.timeLimit, 'timeLimit', { min: 0.1, max: 3600 });
    const handling = {
      ...options.handling,
      ...(device.gateway && def.subDevices === true ? { subDevices: true } : {}),
      ...(seconds === undefined ? {} : { timeLimitMs: seconds * 1000 }),
      onProblem,
    };
    const taken = typeof filters === 'function' ? filters(device) : filters;
    const stops = taken.map((filter) =>
      device.onRequest(
        filter,
        (request) => {
          try {
            handle(request);
          } catch (thrown) {
            onProblem(toAlinkError(thrown), request);
          }
        },
        handling,
      ),
    );
    return () => {
      for (const stop of stops) stop();
    };
  };

  const link = linkThing(RED, node, def.device, open);
  return link;
}

/**
 * Answers at once. The flow does not wait for the platform to take the answer: what was promised to it must not be
 * lost when the connection or the node ends meanwhile.
 * @returns whether the flow shall have the message
 */
function answer(
  request: IncomingRequest,
  receipt: RequestAnswer,
  onProblem: (error: AlinkError, request: IncomingRequest) => void,
): boolean {
  request.answer(receipt).catch((thrown: unknown) => {
    const error = toAlinkError(thrown);
    // Another node of the same device was faster; the request is answered all the same.
    if (error.key === 'alreadyAnswered') return;
    if (error.key !== 'thingModel') return onProblem(error, request);
    // A service that has outputs cannot be answered without them; its caller shall not wait for the time limit.
    onProblem(
      badSettings('reply', `${error.message}: a service with outputs needs its flow`, 'outputsNeedFlow'),
      request,
    );
    request.answer({ code: 400, message: error.message }).catch(() => undefined);
  });
  return request.ended;
}

function statusOf({ kind, wantsAnswer }: IncomingRequest, answersNow: boolean): RequestInfo['status'] {
  if (kind === 'notice') return 'pushed';
  if (answersNow) return 'answered';
  return wantsAnswer ? 'pending' : 'received';
}

function requestInfo(RED: NodeAPI, request: IncomingRequest, status: RequestInfo['status']): RequestInfo {
  const { token, kind, operation, id, method, identifier, identity } = request;
  const { sync, receivedAt, problems, versions } = request;
  return {
    ...(status === 'pending' ? { request: token } : {}),
    status,
    ...(id === undefined ? {} : { id: String(id) }),
    ...(method === undefined ? {} : { method }),
    ...(kind === 'notice' ? { operation } : {}),
    ...(identifier === undefined ? {} : { identifier }),
    productKey: identity.productKey,
    deviceName: identity.deviceName,
    sync,
    time: receivedAt,
    ...(problems.length > 0 ? { problems: sentences(RED, problems) } : {}),
    ...(versions === undefined ? {} : { versions: { ...versions } }),
  };
}

function plainMessage(request: IncomingRequest): NodeMessage[] {
  const { identifier } = request;
  return [{ payload: payloadOf(request), ...(identifier === undefined ? {} : { topic: identifier }) }];
}

// A copy, because several nodes may take the same request and flows change what they are given.
function payloadOf(request: IncomingRequest): Json | Buffer {
  return request.id === undefined && request.params === null
    ? Buffer.from(request.payload)
    : structuredClone(request.params);
}
