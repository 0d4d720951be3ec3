import {
  type AlinkRequest,
  EnvelopeError,
  formatTopic,
  type OperationName,
  operation as operationOf,
  parseReply,
  parseRequest,
} from '../protocol';
import type { Line } from './broker/line';
import { findRoute } from './broker/routes';
import type { Ground } from './ground';
import { HANDLERS, type HandlerResult, refusal } from './handlers';
import type { Device } from './registry/device';
import type { Converted } from './script/converted';
import type { ScriptFunction } from './script/types';
import type { KnownRoute, ReplyFault, Upward } from './upward';

/** Behind a topic of one's own: the product's script makes JSON of the payload. */
export const PARSE_MARK = '?_sn=default';

/** Where converted messages go on. */
interface PassthroughPlatform extends Ground {
  readonly downlink: { receive(topic: string, payload: Uint8Array): boolean };
  readonly uplink: {
    answerTo(route: KnownRoute, topic: string, payload: Uint8Array, line: Line): HandlerResult;
    reply(
      device: Device,
      topic: string,
      payload: string | Uint8Array,
      qos: 0 | 1,
      operation: OperationName,
      fault: ReplyFault | undefined,
    ): void;
  };
}

/**
 * Passthrough products: bytes on the device's side, Alink on the platform's, the product's script between (B.1 rows
 * 12–14). A converted message is handled as if it had come on its own topic.
 */
export class Passthrough {
  constructor(private readonly platform: PassthroughPlatform) {}

  /** Whether the message goes through the script. */
  takes({ route, marked }: Upward): boolean {
    if (route.kind === 'custom') return marked;
    const name = route.kind === 'request' ? 'thing.model.up_raw' : 'thing.model.down_raw';
    return route.operation.name === name && route.device.product.dataFormat === 'custom';
  }

  /** @param refused code with which a fault refuses it */
  take(message: Upward, fault: ReplyFault | undefined, refused?: number): void {
    const own = message.route.kind === 'custom';
    const work = own ? this.ownTopic(message, refused) : this.raw(message, fault, refused);
    work.catch((thrown: unknown) => this.platform.log(`a script's message failed: ${String(thrown)}`));
  }

  /** Alink of a device's bytes: `rawDataToProtocol`. */
  async toAlink(device: Device, bytes: Uint8Array): Promise<Converted<string>> {
    return this.convert(device, 'rawDataToProtocol', [byteList(bytes)]);
  }

  /** Bytes for a device: `protocolToRawData`. @param alink a message in the common envelope, as JSON text */
  async toRaw(device: Device, alink: string): Promise<Converted<Uint8Array>> {
    const converted = await this.convert(device, 'protocolToRawData', [alink]);
    if (!converted.ok) return converted;
    return { ok: true, value: Uint8Array.from(JSON.parse(converted.value) as number[]) };
  }

  private async convert(device: Device, name: ScriptFunction, args: string[]): Promise<Converted<string>> {
    const { script } = device.product;
    if (script === undefined) return { ok: false, code: 26001, reason: 'the product has no script' };
    const outcome = await script.call({ name, args });
    return outcome.ok ? { ok: true, value: outcome.json } : outcome;
  }

  private async raw(message: Upward, fault: ReplyFault | undefined, refused?: number): Promise<void> {
    const { platform } = this;
    const { line, topic, payload, qos, route } = message;
    const { device, replyTopic } = route;
    const { identity } = device;
    const operation = route.operation.name;
    const alink = await this.toAlink(device, payload);
    if (platform.registry.find(identity) !== device) return;
    const came = { kind: 'up', identity, topic, payload, qos, operation } as const;
    if (!alink.ok) {
      platform.exchanges.add({ ...came, code: alink.code, note: alink.reason });
      return;
    }
    platform.exchanges.add({ ...came, note: `script: ${alink.value}` });
    const text = Buffer.from(alink.value);
    if (route.kind === 'reply' || isAnswer(alink.value)) {
      if (fault !== 'loseReply' && refused === undefined) this.answered(device, text);
      return;
    }
    const target =
      refused === undefined
        ? this.target(device, alink.value)
        : { code: refused, reason: `fault: refuse ${refused}` };
    const result =
      'code' in target
        ? {
            reply: refusal(
              { operation, payload: text, method: undefined, now: platform.clock() },
              target.code,
            ),
            code: target.code,
            note: target.reason,
          }
        : platform.uplink.answerTo(target, target.topic, text, line);
    const note = fault === undefined ? result.note : `fault: ${fault}`;
    platform.exchanges.add({
      kind: 'up',
      identity,
      payload: text,
      code: result.code,
      note,
      ...('code' in target ? {} : { topic: target.topic, operation: target.operation.name }),
    });
    if (result.reply === undefined || replyTopic === undefined || fault === 'loseReply') return;
    const bytes = await this.toRaw(device, Buffer.from(result.reply).toString());
    if (platform.registry.find(identity) !== device) return;
    if (!bytes.ok) {
      const reason = `no answer: ${bytes.reason}`;
      platform.exchanges.add({
        kind: 'down',
        identity,
        topic: replyTopic,
        operation,
        code: bytes.code,
        note: reason,
      });
    } else platform.uplink.reply(device, replyTopic, bytes.value, qos, operation, fault);
  }

  /** Scripts tell the answer to a request by its id, on whichever of its topics the device sent it. */
  private answered(device: Device, answer: Uint8Array): void {
    const { replyTopic = '' } = operationOf('thing.model.down_raw');
    const topic = formatTopic(replyTopic, { ...device.identity });
    if (!this.platform.downlink.receive(topic, answer)) {
      this.platform.log(`${device.key}: nobody waits for the answer on ${topic}`);
    }
  }

  /** The operation behind the method that the script wrote. */
  private target(device: Device, alink: string) {
    let request: AlinkRequest;
    try {
      request = parseRequest(alink);
    } catch (thrown) {
      if (!(thrown instanceof EnvelopeError)) throw thrown;
      return { code: thrown.problem === 'tooDeep' ? 6207 : 460, reason: thrown.message };
    }
    const { method } = request;
    if (method === undefined) return { code: 6450, reason: 'the script gave no method' };
    const { productKey, deviceName } = device.identity;
    const topic = `/sys/${productKey}/${deviceName}/${method.replaceAll('.', '/')}`;
    const route = findRoute(topic, (identity) =>
      identity.productKey === productKey && identity.deviceName === deviceName ? device : undefined,
    );
    if (route.kind === 'request' && HANDLERS.has(route.operation.name)) return { ...route, topic };
    return { code: 6300, reason: `there is no method ${method.slice(0, 64)}` };
  }

  private async ownTopic({ topic, payload, qos, route }: Upward, refused: number | undefined): Promise<void> {
    const { platform } = this;
    const { device, operation } = route;
    const { identity } = device;
    const json = await this.convert(device, 'transformPayload', [JSON.stringify(topic), byteList(payload)]);
    if (platform.registry.find(identity) !== device) return;
    const note =
      refused !== undefined ? `fault: refuse ${refused}` : json.ok ? `script: ${json.value}` : json.reason;
    const code = refused ?? (json.ok ? undefined : json.code);
    platform.exchanges.add({
      kind: 'up',
      identity,
      topic,
      payload,
      qos,
      operation: operation.name,
      code,
      note,
    });
    if (json.ok && refused === undefined) platform.forwarding.pass(identity, topic, json.value);
  }
}

function isAnswer(alink: string): boolean {
  try {
    parseReply(alink);
    return true;
  } catch {
    return false;
  }
}

function byteList(bytes: Uint8Array): string {
  return `[${bytes.join(',')}]`;
}
