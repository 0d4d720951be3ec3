import type { OperationName } from '../protocol';
import { findRoute, type Route } from './broker/routes';
import type { Session } from './broker/session';
import { type Call, HANDLERS, type Handler, type HandlerResult, refusal } from './handlers';
import { decode } from './handlers/codec';
import { malformed } from './malformed';
import { PARSE_MARK } from './passthrough';
import type { Platform } from './platform';
import type { Device } from './registry/device';

/** A message on its way up. */
export interface Upward {
  session: Session;
  topic: string;
  payload: Uint8Array;
  qos: 0 | 1;
  route: KnownRoute;
  /** The product's script shall make JSON of it. */
  marked: boolean;
}

type KnownRoute = Extract<Route, { kind: 'request' | 'reply' | 'custom' }>;

/** What a fault does to an answer. */
export type ReplyFault = 'loseReply' | 'malformReply';

const REMEMBERED_ROUTES = 1000;

/** What happens to each message of a device. */
export class Uplink {
  constructor(private readonly platform: Platform) {}

  /** Takes a message of a connected device. */
  take(session: Session, topic: string, payload: Uint8Array, qos: 0 | 1): void {
    session.device.lastHeardAt = this.platform.clock();
    const marked = topic.endsWith(PARSE_MARK);
    const plain = marked ? topic.slice(0, -PARSE_MARK.length) : topic;
    let route = session.routes.get(topic);
    if (route === undefined) {
      route = findRoute(plain, session.speaksFor);
      if (marked && route.kind !== 'custom') route = { kind: 'none', reason: 'not one of its own topics' };
      if (session.routes.size >= REMEMBERED_ROUTES) session.routes.clear();
      session.routes.set(topic, route);
    }
    if (route.kind === 'none') {
      this.dropUp(session, topic, payload, qos, route.reason);
      if (this.platform.limits.disconnectOnForbiddenPublish) this.platform.kick(session.device);
      return;
    }
    if (payload.length > this.platform.limits.payloadBytes) {
      this.dropUp(
        session,
        topic,
        payload.subarray(0, 64),
        qos,
        `payload of ${payload.length} bytes is too large`,
      );
      return;
    }
    const content = decode(route.device, plain, payload, this.platform.limits.payloadBytes);
    if (content === undefined) {
      this.dropUp(session, topic, payload.subarray(0, 64), qos, 'neither gzip nor small enough without it');
      return;
    }
    this.handle({ session, topic: plain, payload: content, qos, route, marked });
  }

  dropUp(session: Session, topic: string, payload: Uint8Array, qos: number, reason: string): void {
    const { identity } = session.device;
    this.platform.exchanges.add({ kind: 'up', identity, topic, payload, qos, note: `dropped: ${reason}` });
    this.platform.log(
      `${session.device.key}: message on ${JSON.stringify(topic.slice(0, 128))} dropped: ${reason}`,
    );
  }

  private handle(message: Upward): void {
    const { session, topic, payload, qos, route } = message;
    const { device } = route;
    const operation = route.operation.name;
    const fault = this.platform.faults.strike('up', device, topic, operation);
    switch (fault?.action) {
      case undefined:
      case 'loseReply':
      case 'malformReply':
        this.carryOut(message, fault?.action);
        return;
      case 'duplicate':
        this.carryOut(message, undefined);
        this.carryOut(message, undefined);
        return;
      case 'delay':
        this.platform.later(fault.ms, () => this.carryOut(message, undefined));
        return;
      case 'refuse': {
        const { code } = fault;
        if (this.platform.passthrough.takes(message)) {
          this.platform.passthrough.take(message, undefined, code);
          return;
        }
        const note = `fault: refuse ${code}`;
        this.platform.exchanges.add({
          kind: 'up',
          identity: device.identity,
          topic,
          payload,
          qos,
          operation,
          code,
          note,
        });
        const { method, replyTopic } = route;
        const answer = refusal({ operation, payload, method, now: this.platform.clock() }, code);
        if (replyTopic !== undefined && answer !== undefined) {
          this.platform.push(device, replyTopic, answer, qos, operation);
        }
        return;
      }
      case 'drop':
      case 'kick':
        this.dropUp(session, topic, payload, qos, `fault: ${fault.action}`);
        if (fault.action === 'kick') this.platform.kick(session.device);
    }
  }

  /** Carries out an operation of a device. */
  answerTo(route: KnownRoute, payload: Uint8Array, session: Session): HandlerResult {
    const { device, variables, method } = route;
    const operation = route.operation.name;
    const handler = HANDLERS.get(operation);
    if (handler === undefined) return {};
    const { platform } = this;
    return this.run(handler, {
      device,
      operation,
      method,
      variables,
      payload,
      now: platform.clock(),
      limits: platform.limits,
      speaksFor: session.speaksFor,
      forward: (source, made) => platform.forwarding.publish(source, made),
      platform,
      session,
    });
  }

  /** Sends the answer to a message of a device. */
  reply(
    device: Device,
    topic: string,
    payload: string | Uint8Array,
    qos: 0 | 1,
    operation: OperationName,
    fault: ReplyFault | undefined,
  ): void {
    this.platform.push(
      device,
      topic,
      fault === 'malformReply' ? malformed(payload) : payload,
      qos,
      operation,
    );
  }

  // A fault of ours must not end the emulator for everybody; the platform has a code for it.
  private run(handler: Handler, call: Call): HandlerResult {
    try {
      return handler(call);
    } catch (thrown) {
      this.platform.log(`${call.operation} failed: ${String(thrown)}`);
      const reply = refusal(call, 500);
      return { ...(reply === undefined ? {} : { reply }), code: 500, note: 'the emulator failed' };
    }
  }

  private carryOut(message: Upward, fault: ReplyFault | undefined): void {
    if (this.platform.passthrough.takes(message)) {
      this.platform.passthrough.take(message, fault);
      return;
    }
    const { session, topic, payload, qos, route } = message;
    const { device, replyTopic } = route;
    const { identity } = device;
    const operation = route.operation.name;
    if (route.kind === 'custom') this.platform.forwarding.pass(identity, topic, payload);
    if (route.kind !== 'request' || !HANDLERS.has(operation)) {
      const note = route.kind === 'request' ? 'dropped: not part of this emulator' : undefined;
      if (route.kind === 'reply' && fault !== 'loseReply') {
        if (!this.platform.downlink.receive(topic, payload)) {
          this.platform.log(`${device.key}: nobody waits for the answer on ${topic}`);
        }
      }
      this.platform.exchanges.add({ kind: 'up', identity, topic, payload, qos, operation, note });
      return;
    }
    const result = this.answerTo(route, payload, session);
    const note = fault === undefined ? result.note : `fault: ${fault}`;
    this.platform.exchanges.add({
      kind: 'up',
      identity,
      topic,
      payload,
      qos,
      operation,
      code: result.code,
      note,
    });
    if (result.reply === undefined || replyTopic === undefined || fault === 'loseReply') return;
    this.reply(device, replyTopic, result.reply, qos, operation, fault);
  }
}
