import { formatTopic, type OperationName, operation as operationOf } from '../protocol';
import type { Line } from './broker/line';
import { findRoute, type Route } from './broker/routes';
import type { Downlink } from './downlink/downlink';
import { type Call, HANDLERS, type Handler, type HandlerResult, refusal, requestId } from './handlers';
import { decode } from './handlers/codec';
import type { HandlerPlatform } from './handlers/types';
import { malformed } from './malformed';
import { PARSE_MARK, type Passthrough } from './passthrough';
import type { Device } from './registry/device';
import type { KnownRoute, ReplyFault, Upward } from './upward';

type NoRoute = Extract<Route, { kind: 'none' }>;
interface UplinkPlatform extends HandlerPlatform {
  readonly downlink: Downlink;
  readonly passthrough: Passthrough;
}

/** What happens to each message of a device. */
export class Uplink {
  constructor(private readonly platform: UplinkPlatform) {}

  /** Takes a message that came on a connection. */
  take(line: Line, topic: string, payload: Uint8Array, qos: 0 | 1): void {
    const { platform } = this;
    const { device: speaker } = line.session;
    const now = platform.clock();
    speaker.lastHeardAt = now;
    const marked = topic.endsWith(PARSE_MARK);
    const plain = marked ? topic.slice(0, -PARSE_MARK.length) : topic;
    const route = line.routeOf(topic) ?? this.look(line, topic, plain, marked);
    if (route.kind === 'none') {
      this.refuse(line, topic, payload, qos, route);
      return;
    }
    const { device } = route;
    device.lastHeardAt = now;
    const most = platform.limits.payloadBytes;
    if (payload.length > most) {
      const reason = `payload of ${payload.length} bytes is too large`;
      this.dropUp(device, topic, payload.subarray(0, 64), qos, reason);
      return;
    }
    const content = decode(device, plain, payload, most);
    if (content === undefined) {
      this.dropUp(device, topic, payload.subarray(0, 64), qos, 'neither gzip nor small enough without it');
      return;
    }
    this.handle({ line, topic: plain, payload: content, qos, route, marked });
  }

  dropUp({ identity, key }: Device, topic: string, payload: Uint8Array, qos: number, reason: string): void {
    this.platform.exchanges.add({ kind: 'up', identity, topic, payload, qos, note: `dropped: ${reason}` });
    this.platform.log(`${key}: message on ${JSON.stringify(topic.slice(0, 128))} dropped: ${reason}`);
  }

  private look(line: Line, topic: string, plain: string, marked: boolean): Route {
    const route = findRoute(plain, line.session.speaksFor);
    if (route.kind === 'none') return route;
    if (marked && route.kind !== 'custom') return { kind: 'none', reason: 'not one of its own topics' };
    line.remember(topic, { route, session: this.platform.sessionOf(route.device) });
    return route;
  }

  // A gateway is told that nobody is logged in (B.5 row 75); what a device may not publish is dropped in silence (A.5).
  private refuse(
    { session: { device } }: Line,
    topic: string,
    payload: Uint8Array,
    qos: number,
    { reason, foreign }: NoRoute,
  ): void {
    const { registry, limits, subSessions } = this.platform;
    this.dropUp(device, topic, payload.subarray(0, limits.payloadBytes), qos, reason);
    if (foreign !== undefined && device.product.mayBeGateway) {
      subSessions.notifyNoSession(
        device,
        foreign,
        payload.length > limits.payloadBytes ? '' : requestId(payload),
      );
      const named = registry.find(foreign);
      if (named !== undefined && registry.topology.gatewayOf(named) === device) return;
    }
    if (limits.disconnectOnForbiddenPublish) this.platform.kick(device);
  }

  private handle(message: Upward): void {
    const { topic, payload, qos, route } = message;
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
        this.platform.later(fault.ms, () => {
          if (this.platform.registry.find(device.identity) === device) this.carryOut(message, undefined);
        });
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
        this.dropUp(device, topic, payload, qos, `fault: ${fault.action}`);
        if (fault.action === 'kick') this.platform.kick(device);
    }
  }

  /** Carries out an operation of a device. */
  answerTo(route: KnownRoute, topic: string, payload: Uint8Array, line: Line): HandlerResult {
    const { device, variables, method } = route;
    const operation = route.operation.name;
    const handler = HANDLERS.get(operation);
    if (handler === undefined) return {};
    const { platform } = this;
    const now = platform.clock();
    if (route.operation.gatewayOnly === true && !device.product.mayBeGateway) {
      const reply = refusal({ operation, payload, method, now }, 460);
      return { ...(reply === undefined ? {} : { reply }), code: 460, note: 'the product is no gateway' };
    }
    return this.run(handler, {
      device,
      operation,
      method,
      topic,
      variables,
      payload,
      now,
      limits: platform.limits,
      speaksFor: line.session.speaksFor,
      forward: (source, made) => platform.forwarding.publish(source, made),
      platform,
      line,
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
    const { line, topic, payload, qos, route } = message;
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
    const result = this.answerTo(route, topic, payload, line);
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
    const wire =
      result.replyOperation === undefined
        ? replyTopic
        : formatTopic(operationOf(result.replyOperation).topic, { ...identity });
    this.reply(device, wire, result.reply, qos, operation, fault);
  }
}
