import { type Json, parseThingModel, type Sample, type ThingModel } from '../../protocol';
import {
  type AlinkError,
  type IncomingRequest,
  type RequestFilter,
  type RequestHandling,
  type ThingModelMode,
  TIMING,
} from '../../sdk';
import { Downlink } from '../../sdk/downlink/downlink';

export const IDENTITY = { productKey: 'a1Test', deviceName: 'lamp-1' };
export const S = '/sys/a1Test/lamp-1';
export const MODEL = parseThingModel({
  profile: { productKey: 'a1Test' },
  properties: [
    property('temperature', 'r', { type: 'float', specs: { min: '-40', max: '120' } }),
    property('target', 'rw', { type: 'float', specs: { min: '0', max: '40' } }),
    property('heater', 'rw', { type: 'bool', specs: { '0': 'off', '1': 'on' } }),
  ],
  events: [],
  services: [
    {
      identifier: 'water',
      name: 'Water',
      callType: 'async',
      inputData: [{ identifier: 'litres', name: 'Litres', dataType: { type: 'float', specs: { max: '9' } } }],
      outputData: [{ identifier: 'used', name: 'Used', dataType: { type: 'float', specs: { max: '9' } } }],
    },
  ],
});

function property(identifier: string, accessMode: string, dataType: Json): Json {
  return { identifier, name: identifier, accessMode, required: false, dataType };
}

interface Sent {
  topic: string;
  qos: 0 | 1;
  body: { id?: Json; code?: number; data?: Json; message?: string };
  text: string;
}

/** A downlink without a connection: what comes is handed in, what is answered is collected. */
export class Bench {
  readonly sent: Sent[] = [];
  readonly refusals = new Map<string, (error: AlinkError) => void>();
  readonly reported = new Map<string, Sample>();
  readonly asked: string[][] = [];
  readonly downlink: Downlink;
  readonly log: string[] = [];
  now = 1_000_000;
  online = true;
  desired: Json = {};
  #waiting: Array<() => void> = [];

  constructor({ model, mode = 'strict' }: { model?: ThingModel; mode?: ThingModelMode } = {}) {
    this.downlink = new Downlink({
      identity: IDENTITY,
      mode,
      thingModel: { model, loading: undefined },
      lastReported: () => this.reported,
      online: () => this.online,
      publish: async (topic, payload, qos) => {
        const text = typeof payload === 'string' ? payload : Buffer.from(payload).toString();
        this.sent.push({ topic, qos, text, body: text.startsWith('{') ? JSON.parse(text) : {} });
        for (const resolve of this.#waiting.splice(0)) resolve();
      },
      subscribe: (filter, onRefused) => {
        this.refusals.set(filter, onRefused);
        return () => this.refusals.delete(filter);
      },
      askDesired: async (identifiers) => {
        this.asked.push([...identifiers]);
        return this.desired;
      },
      log: ({ event }) => this.log.push(event),
      takeoverMs: TIMING.takeoverMs,
      now: () => this.now,
    });
  }

  /** Takes requests into a list. */
  take(filter: RequestFilter, handling: RequestHandling = {}): { requests: IncomingRequest[]; stop(): void } {
    const requests: IncomingRequest[] = [];
    const stop = this.downlink.add(filter, (request) => requests.push(request), handling);
    return { requests, stop };
  }

  receive(topic: string, payload: Json | Buffer, duplicate = false): boolean {
    const bytes = Buffer.isBuffer(payload) ? payload : Buffer.from(JSON.stringify(payload));
    return this.downlink.receive({ topic, payload: bytes, qos: 1, duplicate });
  }

  async answered(): Promise<void> {
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}

export function call(service: string, params: Json = {}, id: string | number = '1'): [string, Json] {
  return [
    `${S}/thing/service/${service}`,
    { id, version: '1.0.0', method: `thing.service.${service}`, params },
  ];
}
