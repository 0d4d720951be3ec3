import {
  type DeviceIdentity,
  isJsonObject,
  type Json,
  type JsonObject,
  parseJson,
  thingKey,
} from '../../protocol';
import { Recent } from '../../protocol/recent';
import type { IncomingRequest, NoticeOperation } from '../downlink/types';
import type { AlinkError } from '../errors';

import { refusal } from '../requests';
import { readIdentities } from './topology';
import type { GatewayNotice } from './types';

/** Operations by which the platform tells a gateway something; the second ones go to its sub-devices. */
export const GATEWAY_NOTICES: readonly NoticeOperation[] = [
  'thing.topo.add.notify',
  'thing.topo.change',
  'thing.gateway.permit',
];
export const SUB_DEVICE_NOTICES: readonly NoticeOperation[] = [
  'thing.disable',
  'thing.enable',
  'thing.delete',
];

const CHANGES: Readonly<Record<number, GatewayNotice['type']>> = {
  0: 'added',
  1: 'removed',
  2: 'enabled',
  8: 'disabled',
};
/** One piece of news ends another: what was true a moment ago may be news again. */
const OPPOSITES: Partial<Record<GatewayNotice['type'], GatewayNotice['type']>> = {
  added: 'removed',
  removed: 'added',
  enabled: 'disabled',
  disabled: 'enabled',
};
const KICKS: ReadonlySet<number> = new Set([427, 521, 522, 6401]);
/** A platform tells the same on several topics (J 15); within this time it is the same news, ms. */
const SAME_NEWS_MS = 2000;
const REMEMBERED = 5000;

/** The end of a session as the platform tells it (B.5 rows 74, 75). */
export interface SessionEnd {
  identity: DeviceIdentity;
  error: AlinkError;
  /** Of the message that had no session, for 520. */
  id: string;
}

/** Reads what the platform tells a gateway about its sub-devices, each piece of news once. */
export class NoticeReader {
  readonly #told = new Recent<number>(REMEMBERED);

  /** @param now milliseconds on a clock that never jumps */
  constructor(private readonly now: () => number = () => performance.now()) {}

  /** @returns undefined for what cannot be read or was told before */
  request({ operation, params, identity }: IncomingRequest): GatewayNotice | undefined {
    const time = Date.now();
    switch (operation) {
      case 'thing.topo.add.notify':
        return this.#news({ type: 'addRequested', devices: readIdentities(params), time }, 0);
      case 'thing.topo.change': {
        if (!isJsonObject(params)) return undefined;
        const type = CHANGES[Number(params.status)];
        return type && this.#news({ type, devices: readIdentities(params.subList), time }, SAME_NEWS_MS);
      }
      case 'thing.gateway.permit':
        return permission(params, time);
      case 'thing.disable':
        return this.#news({ type: 'disabled', devices: [identity], time }, SAME_NEWS_MS);
      case 'thing.enable':
        return this.#news({ type: 'enabled', devices: [identity], time }, SAME_NEWS_MS);
      case 'thing.delete':
        return this.#news({ type: 'deleted', devices: [identity], time }, SAME_NEWS_MS);
      default:
        return undefined;
    }
  }

  /**
   * The end of a session. @param onErrorTopic the topic of logouts' answers carries these too, where 520 is an answer
   * @returns undefined for what is none
   */
  sessionEnd(payload: Uint8Array, onErrorTopic: boolean): SessionEnd | undefined {
    let body: Json;
    try {
      body = parseJson(payload);
    } catch {
      return undefined; // whoever sent it gets no answer on this topic
    }
    if (!isJsonObject(body)) return undefined;
    const code = Number(body.code);
    const [identity] = readIdentities(body.data);
    if (identity === undefined || !(KICKS.has(code) || (onErrorTopic && code === 520))) return undefined;
    return { identity, error: asError(body, code), id: String(body.id ?? '') };
  }

  /** The notice for the end of a session. @returns undefined when it was told before */
  kicked({ identity, error }: SessionEnd): GatewayNotice | undefined {
    return this.#news({ type: 'kicked', devices: [identity], error, time: Date.now() }, SAME_NEWS_MS);
  }

  /** Leaves out the devices of which this was told a moment ago. */
  #news(notice: GatewayNotice, sameNewsMs: number): GatewayNotice | undefined {
    const now = this.now();
    const devices = notice.devices.filter((identity) => {
      const name = thingKey(identity);
      const key = `${notice.type} ${notice.error?.code ?? ''} ${name}`;
      const before = this.#told.get(key);
      this.#told.set(key, now);
      const opposite = OPPOSITES[notice.type];
      if (opposite !== undefined) this.#told.set(`${opposite}  ${name}`, Number.NEGATIVE_INFINITY);
      return before === undefined || now - before >= sameNewsMs;
    });
    return devices.length === 0 ? undefined : { ...notice, devices };
  }
}

function asError(body: JsonObject, code: number): AlinkError {
  const message = typeof body.message === 'string' ? { message: body.message } : {};
  return refusal({ id: '', code, data: {}, ...message }, 'session.error');
}

function permission(params: Json, time: number): GatewayNotice | undefined {
  if (!isJsonObject(params)) return undefined;
  const { productKey } = params;
  const seconds = Number(params.time);
  if (typeof productKey !== 'string' || !Number.isFinite(seconds)) return undefined;
  return { type: 'permitJoin', devices: [], productKey, seconds, time };
}
