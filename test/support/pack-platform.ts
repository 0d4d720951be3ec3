import assert from 'node:assert/strict';
import {
  type AlinkReply,
  type DeviceIdentity,
  explainCode,
  isJsonObject,
  type Json,
  type JsonObject,
  parseJson,
} from '../../protocol';
import { AlinkError } from '../../sdk';
import { Packer, type PackerOptions } from '../../sdk/gateway/packer';
import type { Submission } from '../../sdk/report/dispatcher';

export const GATEWAY: DeviceIdentity = { productKey: 'a1Gate', deviceName: 'gateway' };

export const meter = (i: number): DeviceIdentity => ({ productKey: 'a1Sub', deviceName: `meter-${i}` });

/** A packer of the gateway in front of a platform. */
export function packerOf(platform: PackPlatform, more: Partial<PackerOptions> = {}): Packer {
  return new Packer({
    identity: GATEWAY,
    submit: platform.submit,
    reporterOf: () => undefined,
    defaultTimeoutMs: 10_000,
    ...more,
  });
}

/** One property or event as the platform got it. */
export interface Value {
  /** `own` for the gateway itself. */
  device: string;
  kind: 'properties' | 'events';
  identifier: string;
  value: Json;
  time: Json | undefined;
}

/** Stands for the platform behind the gateway's dispatcher: it takes a pack as a whole or refuses it as a whole. */
export class PackPlatform {
  limits = { properties: 200, events: 20, subDevices: 20 };
  /** Why something in a pack is bad; undefined when it is not. */
  judge: (value: Value) => number | undefined = () => undefined;
  /** Called before the answer; may take its time or throw something else. */
  before: (values: readonly Value[]) => Promise<void> | void = () => undefined;
  readonly sent: Submission[] = [];
  readonly packs: Value[][] = [];
  readonly taken: Value[] = [];
  unanswered = 0;
  mostUnanswered = 0;
  /** What must never happen. */
  readonly faults: string[] = [];
  readonly #busy = new Set<string>();

  readonly submit = async (submission: Submission): Promise<AlinkReply> => {
    this.sent.push(submission);
    this.mostUnanswered = Math.max(this.mostUnanswered, ++this.unanswered);
    const values = read(submission);
    this.packs.push(values);
    const devices = new Set(values.map(({ device }) => device));
    for (const device of devices) {
      if (this.#busy.has(device)) this.faults.push(`${device} is in two packs at once`);
      this.#busy.add(device);
    }
    this.#check(submission.params, values, devices);
    try {
      await Promise.race([this.before(values), aborted(submission.options.signal)]);
      const code = this.#code(values, devices);
      if (code !== undefined) throw refused(code);
      this.taken.push(...values);
      return { id: String(this.sent.length), code: 200, data: {} };
    } finally {
      this.unanswered--;
      for (const device of devices) this.#busy.delete(device);
    }
  };

  #check(params: string, values: readonly Value[], devices: ReadonlySet<string>): void {
    const count = (kind: Value['kind']) => values.filter((value) => value.kind === kind).length;
    const subDevices = [...devices].filter((device) => device !== 'own').length;
    if (count('properties') > 200) this.faults.push('too many properties');
    if (count('events') > 20) this.faults.push('too many events');
    if (subDevices > 20) this.faults.push('too many sub-devices');
    if (Buffer.byteLength(params) > 256 * 1024 - 1024) this.faults.push('too many bytes');
    if (values.length === 0) this.faults.push('an empty pack');
    const keys = values.map(({ device, kind, identifier }) => `${device} ${kind} ${identifier}`);
    if (new Set(keys).size !== keys.length) this.faults.push('a value twice in one pack');
  }

  #code(values: readonly Value[], devices: ReadonlySet<string>): number | undefined {
    const { properties, events, subDevices } = this.limits;
    if (values.filter(({ kind }) => kind === 'properties').length > properties) return 6106;
    if (values.filter(({ kind }) => kind === 'events').length > events) return 6356;
    if ([...devices].filter((device) => device !== 'own').length > subDevices) return 6357;
    for (const value of values) {
      const code = this.judge(value);
      if (code !== undefined) return code;
    }
    return undefined;
  }
}

/** The dispatcher leaves it at once. */
function aborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(new AlinkError('aborted', 'given up')), { once: true });
  });
}

/** As the dispatcher tells it. */
export function refused(code: number): AlinkError {
  const { retry = 'no' } = explainCode(code, 'thing.event.property.pack.post') ?? {};
  return new AlinkError('platformRefused', `refused with ${code}`, {
    code,
    retry: retry === 'none' ? 'no' : retry,
  });
}

function read({ operation, params }: Submission): Value[] {
  assert.equal(operation, 'thing.event.property.pack.post');
  const body = parseJson(params);
  assert.ok(isJsonObject(body));
  const { subDevices = [], ...own } = body;
  assert.ok(Array.isArray(subDevices));
  const values = readShare('own', own);
  const names = new Set<string>();
  for (const share of subDevices) {
    assert.ok(isJsonObject(share));
    const { identity, ...rest } = share;
    assert.ok(isJsonObject(identity));
    const device = `${identity.productKey}/${identity.deviceName}`;
    assert.ok(!names.has(device), 'a sub-device stands once in a pack');
    names.add(device);
    values.push(...readShare(device, rest));
  }
  return values;
}

function readShare(device: string, share: JsonObject): Value[] {
  return Object.entries(share).flatMap(([kind, members]) => {
    assert.ok(kind === 'properties' || kind === 'events', kind);
    assert.ok(isJsonObject(members));
    return Object.entries(members).map(([identifier, sample]) => {
      assert.ok(isJsonObject(sample));
      return { device, kind, identifier, value: sample.value ?? null, time: sample.time } as const;
    });
  });
}
