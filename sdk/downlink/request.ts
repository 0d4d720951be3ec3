import { randomUUID } from 'node:crypto';
import { type DeviceIdentity, type Json, LIMITS, type Problem, toJson } from '../../protocol';
import { AlinkError } from '../errors';
import { brokenRules } from '../problems';
import type { ReadRequest } from './read';
import { endError, forget, type RequestEnd, remember } from './registry';
import type { AlinkAnswer, IncomingRequest, RequestAnswer } from './types';

/** What a request needs of the device to be answered. */
export interface AnswerDoor {
  /**
   * @param patient what is out of reach is waited for
   * @throws AlinkError when it could not be sent
   */
  publish(topic: string, payload: string | Uint8Array, qos: 0 | 1, patient: boolean): Promise<void>;
  /** Data as JSON text, and the rules that it breaks and must not. */
  checkOutput(request: ReadRequest, data: Json): { dataJson: string; problems: readonly Problem[] };
  /** The request ended; told once. */
  onEnd(request: PlatformRequest): void;
}

/** What a request is besides what was read. */
interface RequestDetails {
  identity: DeviceIdentity;
  params: Json;
  problems: readonly Problem[];
  wantsAnswer: boolean;
  versions?: Readonly<Record<string, number>>;
}

const LONGEST_MESSAGE = 500;
// Codes that a device may answer with, besides its own (C.1).
const CODES: readonly number[] = [200, 400, 429, 460];
const OWN_CODES = { min: 100_000, max: 110_000 };

/** One request on its way through a flow: answered once, by the flow or by its time limit. */
export class PlatformRequest implements IncomingRequest {
  readonly token: string = randomUUID();
  readonly kind: IncomingRequest['kind'];
  readonly operation: IncomingRequest['operation'];
  readonly identity: DeviceIdentity;
  readonly topic: string;
  readonly sync: boolean;
  readonly params: Json;
  readonly payload: Uint8Array;
  readonly problems: readonly Problem[];
  readonly wantsAnswer: boolean;
  readonly receivedAt = Date.now();
  readonly id?: string | number;
  readonly method?: string;
  readonly identifier?: string;
  readonly versions?: Readonly<Record<string, number>>;
  #end: RequestEnd | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly read: ReadRequest,
    details: RequestDetails,
    private readonly door: AnswerDoor,
  ) {
    const { kind, operation, topic, sync, payload, id, method, identifier } = read;
    this.kind = kind;
    this.operation = operation;
    this.topic = topic;
    this.sync = sync;
    this.payload = payload;
    this.identity = details.identity;
    this.params = details.params;
    this.problems = details.problems;
    this.wantsAnswer = details.wantsAnswer;
    if (id !== undefined) this.id = id;
    if (method !== undefined) this.method = method;
    if (identifier !== undefined) this.identifier = identifier;
    if (details.versions !== undefined) this.versions = details.versions;
  }

  /** What a person calls it: the service, the method, or the topic. */
  get name(): string {
    return this.identifier ?? this.method ?? this.topic;
  }

  get ended(): boolean {
    return this.#end !== undefined;
  }

  /** Lets the request wait for its answer. @param onExpired called when none came */
  wait(ms: number, onExpired: () => void): void {
    remember(this);
    this.#timer = setTimeout(() => {
      if (!this.#finish('expired')) return;
      const message = `no answer within ${ms / 1000} s`;
      this.#send({ code: 400, message }).catch(() => undefined); // the connection tells why it is gone
      onExpired();
    }, ms);
  }

  async answer(answer: RequestAnswer): Promise<void> {
    if (!this.wantsAnswer) throw new AlinkError('noAnswerWanted', 'nobody waits for an answer');
    if (this.#end !== undefined) throw endError(this.#end);
    const payload = this.#render(answer);
    // Before it is sent: a second answer must not slip through meanwhile.
    this.#finish('answered');
    await this.#publish(payload);
  }

  /** Answers without a flow: a refusal, or what the SDK knows by itself. Failures are the connection's to tell. */
  dismiss(answer: AlinkAnswer): void {
    this.#finish('answered');
    this.#send(answer).catch(() => undefined);
  }

  /** The device closes: the platform is told as long as there is a connection. */
  close(): void {
    if (!this.#finish('closed')) return;
    this.#send({ code: 400, message: 'the device is closing' }).catch(() => undefined);
  }

  #finish(how: RequestEnd): boolean {
    if (this.#end !== undefined) return false;
    this.#end = how;
    clearTimeout(this.#timer);
    forget(this.token, how);
    this.door.onEnd(this);
    return true;
  }

  // Bytes have no place for a code, so silence is the only refusal.
  async #send(answer: AlinkAnswer): Promise<void> {
    if (this.read.id === undefined || this.read.replyTopic === undefined || !this.read.wantsAnswer) return;
    await this.#publish(this.#envelope(answer, JSON.stringify(answer.data ?? {})));
  }

  async #publish(payload: string | Uint8Array): Promise<void> {
    const { replyTopic, sync } = this.read;
    if (replyTopic === undefined) throw new AlinkError('noAnswerWanted', 'nobody waits for an answer');
    // RRPC is answered at QoS 0 (B.0).
    // A configuration is what may cut the device off for a while.
    await this.door.publish(replyTopic, payload, sync ? 0 : 1, this.kind === 'configuration');
  }

  #render(answer: RequestAnswer): string | Uint8Array {
    if ('payload' in answer) {
      if (this.read.id !== undefined)
        throw invalid('payload', 'this request is answered with code and data', 'replyData');
      return limited(answer.payload);
    }
    if (this.read.id === undefined)
      throw invalid('payload', 'this request is answered with bytes or text', 'replyBytes');
    const { code = 200 } = answer;
    assertCode(code);
    return limited(this.#envelope(answer, this.#data(answer.data ?? {}, code)));
  }

  #data(given: unknown, code: number): string {
    const data = toJson(given);
    if (!data.ok) {
      const field = data.path === '' ? 'data' : `data.${data.path}`;
      throw invalid(field, `${data.found} cannot be sent`, 'notJsonValue', data.found);
    }
    if (code !== 200) return JSON.stringify(data.value);
    if (typeof data.value !== 'object' || data.value === null || Array.isArray(data.value)) {
      throw invalid('data', 'is not an object of values, for example {"result": 1}', 'notAnObject');
    }
    const { dataJson, problems } = this.door.checkOutput(this.read, data.value);
    if (problems.length === 0) return dataJson;
    throw brokenRules('thingModel', problems);
  }

  #envelope({ code = 200, message }: AlinkAnswer, dataJson: string): string {
    const text = message === undefined || message === '' ? '' : message.slice(0, LONGEST_MESSAGE);
    return `{"id":${JSON.stringify(this.read.id)},"code":${code},"data":${dataJson}${
      text === '' ? '' : `,"message":${JSON.stringify(text)}`
    }}`;
  }
}

/** @throws AlinkError `invalidInput` for a code that no device may answer with (C.1) */
export function assertCode(code = 200): void {
  const own = Number.isInteger(code) && code >= OWN_CODES.min && code <= OWN_CODES.max;
  if (own || CODES.includes(code)) return;
  throw invalid('code', `${code} is none of 200, 400, 429, 460 or 100000–110000`, 'replyCode', String(code));
}

function limited(payload: string | Uint8Array): string | Uint8Array {
  const value = typeof payload === 'string' ? Buffer.byteLength(payload) : payload.length;
  const limit = LIMITS.mqttPayloadBytes;
  if (value <= limit) return payload;
  throw new AlinkError('payloadTooLarge', `the answer has ${value} bytes, at most ${limit} are allowed`, {
    details: { value, limit },
  });
}

/** @param rule what a program that shows the reason in another language goes by */
function invalid(field: string, reason: string, rule?: string, value = ''): AlinkError {
  const text = `${field}: ${reason}`;
  const details = { field, reason: text, ...(rule === undefined ? {} : { rule, value }) };
  return new AlinkError('invalidInput', text, { details });
}
