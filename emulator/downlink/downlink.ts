import {
  checkMembers,
  EnvelopeError,
  formatTopic,
  isJsonObject,
  type Json,
  type MessageIds,
  type OperationName,
  operation,
  parseReply,
  problemMessage,
} from '../../protocol';
import type { Delivery } from '../broker/delivery';
import type { Session } from '../broker/session';
import type { DownlinkResult } from '../forwarding/messages';
import type { Device } from '../registry/device';
import type { Converted } from '../script/converted';
import { PendingCalls } from './calls';

/** What a device answered, read as far as it can be. */
export interface DeviceAnswer {
  code: number;
  data: Json;
  message: string;
}

/** How a call ended that somebody waits for; names of the API's `RrpcCode`. */
export type SyncOutcome<T> =
  | { status: 'SUCCESS'; answer: T }
  | { status: 'TIMEOUT' | 'OFFLINE' | 'HALFCONN' };

/** A request in terms of the thing model, or to a gateway about its topology. */
export interface ThingCall {
  operation:
    | 'thing.service.property.set'
    | 'thing.service.property.get'
    | 'thing.service'
    | 'thing.topo.add.notify'
    | 'thing.config.push';
  /** The service, of `thing.service`. */
  service?: string;
  params: Json;
}

/** What the downlink needs of the platform. */
export interface DownlinkHost {
  readonly messageIds: MessageIds;
  clock(): number;
  sessionOf(device: Device): Session;
  push(
    device: Device,
    topic: string,
    payload: string | Uint8Array,
    qos: 0 | 1,
    operation?: OperationName,
  ): Delivery;
  /** Tells applications what came of an asynchronous request (B.9). */
  onResult(device: Device, result: DownlinkResult): void;
  log(line: string): void;
  /** What a passthrough product's script makes of messages. */
  readonly passthrough: {
    /** @param alink JSON text */
    toRaw(device: Device, alink: string): Promise<Converted<Uint8Array>>;
    /** @returns JSON text */
    toAlink(device: Device, raw: Uint8Array): Promise<Converted<string>>;
  };
}

/** A passthrough product's script could not make bytes of a request; `code` is one of C.4. */
export class ScriptFailedError extends Error {
  override readonly name = 'ScriptFailedError';
  constructor(
    readonly code: number,
    reason: string,
  ) {
    super(reason);
  }
}

/** Asynchronous answers are waited for as long as anybody may still want to hear of them. */
const ASYNC_LIMIT_MS = 24 * 3_600_000;
const MOST_SENT = 20_000;
const MOST_ASKED = 10_000;
/** Cloud calls carry this version (B.0). */
const VERSION = '1.0.0';
const EXT_RRPC = 1;
/** What scripts convert: the thing model only. The rest is Alink on every device. */
const THING_MODEL_CALLS: readonly ThingCall['operation'][] = [
  'thing.service.property.set',
  'thing.service.property.get',
  'thing.service',
];

/** The platform's side of every request to a device (B.1 rows 6–14). */
export class Downlink {
  // Apart: devices that never answer, as many do, must not take the place of callers who wait.
  private readonly sent = new PendingCalls(MOST_SENT, 'giveUpOldest');
  private readonly asked = new PendingCalls(MOST_ASKED, 'refuse');

  constructor(private readonly host: DownlinkHost) {}

  get waiting(): number {
    return this.sent.waiting + this.asked.waiting;
  }

  /**
   * Sends a request whose answer comes when it comes, and tells applications.
   * @param answered told of the answer besides
   * @returns the id of the message; to products that speak Alink it is sent at once
   * @throws ScriptFailedError
   */
  async send(device: Device, call: ThingCall, answered?: (answer: DeviceAnswer) => void): Promise<string> {
    const messageId = this.host.messageIds.next();
    const { name, topic, replyTopic, method } = addressOf(device, call);
    const raw = device.product.dataFormat === 'custom' && THING_MODEL_CALLS.includes(call.operation);
    const message = JSON.stringify({ method, id: messageId, params: call.params, version: VERSION });
    const payload = raw ? await this.toRaw(device, message) : message;
    const [wire, answerTopic] = raw ? rawTopics(device) : [topic, replyTopic];
    const startedAt = this.host.clock();
    const done = (answer: DeviceAnswer) => {
      if (call.service !== undefined) this.remember(device, call, startedAt, answer);
      const { code, message, data } = answer;
      answered?.(answer);
      this.host.onResult(device, { requestId: messageId, code, message, topic: wire, data });
    };
    const forget = this.sent.add(answerTopic, messageId, ASYNC_LIMIT_MS, {
      owner: device,
      answered: (bytes) => done(this.readAnswer(device, call, bytes)),
      late: () => undefined,
    });
    const delivery = this.host.push(device, wire, payload, 1, name);
    if (delivery === 'offline' || delivery === 'notSubscribed') {
      forget?.();
      const code = device.activatedAt === undefined ? 9200 : 9201;
      done({ code, message: code === 9200 ? 'device not activated' : 'device offline', data: {} });
    }
    return messageId;
  }

  /** Calls a service and waits: RRPC on the topic that the session asked for (rows 9, 10, 14). */
  async ask(
    device: Device,
    call: ThingCall,
    timeoutMs: number,
  ): Promise<{ messageId: string; outcome: SyncOutcome<DeviceAnswer> }> {
    const messageId = this.host.messageIds.next();
    const { topic, method } = addressOf(device, call);
    const raw = device.product.dataFormat === 'custom';
    const message = JSON.stringify({ method, id: messageId, params: call.params, version: VERSION });
    const payload = raw ? await this.toRaw(device, message) : message;
    const wire = this.rrpcTopic(device, messageId, raw ? rawTopics(device)[0] : topic);
    const startedAt = this.host.clock();
    const outcome = await this.exchange(device, wire, payload, timeoutMs);
    if (outcome.status !== 'SUCCESS') return { messageId, outcome };
    const alink = raw ? await this.toAlink(device, outcome.answer) : outcome.answer;
    const answer = this.readAnswer(device, call, alink);
    this.remember(device, call, startedAt, answer);
    return { messageId, outcome: { status: 'SUCCESS', answer } };
  }

  /**
   * RRPC with bytes of the caller's own (rows 9, 11).
   * @param customTopic a topic of the device; needs a session that asked for it (`ext` bit 0)
   */
  async rrpc(
    device: Device,
    payload: Uint8Array,
    timeoutMs: number,
    customTopic?: string,
  ): Promise<{ messageId: string; outcome: SyncOutcome<Uint8Array> }> {
    const messageId = this.host.messageIds.next();
    const wire =
      customTopic === undefined
        ? plainRrpc(device, messageId)
        : {
            topic: `/ext/rrpc/${messageId}${customTopic}`,
            replyTopic: `/ext/rrpc/${messageId}${customTopic}`,
          };
    const name: OperationName = customTopic === undefined ? 'rrpc.request' : 'ext.rrpc.custom';
    return { messageId, outcome: await this.exchange(device, { ...wire, name }, payload, timeoutMs) };
  }

  /** A device published to a topic on which answers come. @returns whether somebody waited for it */
  receive(topic: string, payload: Uint8Array): boolean {
    if (this.asked.answer(topic, '', payload)) return true;
    if (this.sent.waiting === 0) return false;
    try {
      return this.sent.answer(topic, String(parseReply(payload).id), payload);
    } catch (thrown) {
      if (!(thrown instanceof EnvelopeError)) throw thrown;
      this.host.log(`answer on ${topic} cannot be read: ${thrown.message}`);
      return false;
    }
  }

  /** Ends what is asked of a device that is no more. */
  giveUp(device: Device): void {
    this.sent.giveUp(device);
    this.asked.giveUp(device);
  }

  close(): void {
    this.sent.close();
    this.asked.close();
  }

  private exchange(
    device: Device,
    { topic, replyTopic, name }: { topic: string; replyTopic: string; name: OperationName },
    payload: string | Uint8Array,
    timeoutMs: number,
  ): Promise<SyncOutcome<Uint8Array>> {
    if (device.onlineSince === undefined) return Promise.resolve({ status: 'OFFLINE' });
    return new Promise((resolve) => {
      const forget = this.asked.add(replyTopic, '', timeoutMs, {
        owner: device,
        answered: (answer) => resolve({ status: 'SUCCESS', answer }),
        late: () => resolve({ status: 'TIMEOUT' }),
      });
      if (forget === undefined) {
        resolve({ status: 'TIMEOUT' });
        return;
      }
      const delivery = this.host.push(device, topic, payload, 0, name);
      if (delivery !== 'notSubscribed') return;
      forget();
      resolve({ status: 'HALFCONN' });
    });
  }

  private rrpcTopic(
    device: Device,
    messageId: string,
    topic: string,
  ): { topic: string; replyTopic: string; name: OperationName } {
    const extended = (this.host.sessionOf(device).ext & EXT_RRPC) !== 0;
    if (!extended) return { ...plainRrpc(device, messageId), name: 'rrpc.request' };
    const wire = `/ext/rrpc/${messageId}${topic}`;
    const raw = device.product.dataFormat === 'custom';
    return { topic: wire, replyTopic: wire, name: raw ? 'ext.rrpc.down_raw' : 'ext.rrpc.service' };
  }

  private async toRaw(device: Device, message: string): Promise<Uint8Array> {
    const bytes = await this.host.passthrough.toRaw(device, message);
    if (!bytes.ok) throw new ScriptFailedError(bytes.code, bytes.reason);
    return bytes.value;
  }

  // What cannot be converted is read as the answer that it is not, so that its reason is told.
  private async toAlink(device: Device, bytes: Uint8Array): Promise<string> {
    const alink = await this.host.passthrough.toAlink(device, bytes);
    return alink.ok ? alink.value : JSON.stringify({ id: '0', code: alink.code, message: alink.reason });
  }

  private readAnswer(device: Device, call: ThingCall, payload: Uint8Array | string): DeviceAnswer {
    try {
      const { code, data, message = '' } = parseReply(payload);
      this.noteOutput(device, call, code, data);
      return { code, data, message };
    } catch (thrown) {
      const message = thrown instanceof Error ? thrown.message : String(thrown);
      this.host.log(`${device.key}: answer cannot be read: ${message}`);
      return { code: 500, data: {}, message: `the answer of the device cannot be read: ${message}` };
    }
  }

  // Handed on all the same; recorded as an error (I.3).
  private noteOutput(device: Device, { service }: ThingCall, code: number, data: Json): void {
    const definition = service === undefined ? undefined : device.product.thingModel?.services.get(service);
    if (definition === undefined || code !== 200) return;
    // Text and lists instead of an object are as good as no output (J row 12).
    const problems = checkMembers(definition.outputData, isJsonObject(data) ? data : {}, '', true);
    if (problems.length === 0) return;
    this.host.log(
      `${device.key}: output of ${service}: ${problems.slice(0, 3).map(problemMessage).join('; ')}`,
    );
  }

  private remember(device: Device, { service, params }: ThingCall, time: number, answer: DeviceAnswer): void {
    device.services.push({ identifier: service ?? '', time, input: params, output: answer.data });
  }
}

function addressOf(
  device: Device,
  call: ThingCall,
): { name: OperationName; topic: string; replyTopic: string; method: string } {
  const { name, topic, replyTopic = '', method = '' } = operation(call.operation);
  const variables = {
    ...device.identity,
    ...(call.service === undefined ? {} : { service: call.service }),
  };
  return {
    name,
    topic: formatTopic(topic, variables),
    replyTopic: formatTopic(replyTopic, variables),
    method: formatTopic(method, variables),
  };
}

function plainRrpc(device: Device, msgId: string): { topic: string; replyTopic: string } {
  const { topic, replyTopic = '' } = operation('rrpc.request');
  const variables = { ...device.identity, msgId };
  return { topic: formatTopic(topic, variables), replyTopic: formatTopic(replyTopic, variables) };
}

function rawTopics({ identity }: Device): [topic: string, replyTopic: string] {
  const { topic, replyTopic = '' } = operation('thing.model.down_raw');
  const variables = { ...identity };
  return [formatTopic(topic, variables), formatTopic(replyTopic, variables)];
}
