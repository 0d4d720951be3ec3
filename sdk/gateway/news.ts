import type { DeviceIdentity } from '../../protocol';
import type { Connection } from '../connection';
import type { IncomingRequest } from '../downlink/types';
import { ListenerSet } from '../listener-set';
import type { IncomingMessage } from '../types';
import { GATEWAY_NOTICES, NoticeReader, type SessionEnd, SUB_DEVICE_NOTICES } from './notices';
import type { GatewayNotice } from './types';

/** What follows from news, before anybody else hears of it. */
export interface NewsEffects {
  onNotice: (type: GatewayNotice['type'], identity: DeviceIdentity) => void;
  onEnd: (end: SessionEnd) => void;
}

/** What the platform tells a gateway about its sub-devices: heard on every topic that it comes on, told once. */
export class News {
  readonly #effects: NewsEffects;
  readonly #reader = new NoticeReader();
  readonly #listeners: ListenerSet<GatewayNotice>;

  /** @param connection the gateway's own @param ends filters of the topics on which ends of sessions come */
  constructor(connection: Connection, ends: readonly string[], effects: NewsEffects) {
    this.#listeners = new ListenerSet((listener, value) => connection.call(listener, value));
    this.#effects = effects;
    for (const operation of GATEWAY_NOTICES) {
      connection.onRequest({ kind: 'notice', operation }, (request) => this.#told(request), {});
    }
    for (const operation of SUB_DEVICE_NOTICES) {
      connection.onRequest({ kind: 'notice', operation }, (request) => this.#told(request), {
        subDevices: true,
      });
    }
    for (const filter of ends) {
      connection.onMessage(filter, { listener: (message) => this.#ended(message) });
    }
  }

  onNotice(listener: (notice: GatewayNotice) => void): () => void {
    return this.#listeners.add(listener);
  }

  close(): void {
    this.#listeners.clear();
  }

  #told(request: IncomingRequest): void {
    const notice = this.#reader.request(request);
    if (notice === undefined) return;
    for (const identity of notice.devices) this.#effects.onNotice(notice.type, identity);
    this.#listeners.tell(notice);
  }

  #ended({ topic, payload }: IncomingMessage): void {
    const onErrorTopic = topic.startsWith('/ext/error/');
    if (!onErrorTopic && !topic.endsWith('/logout_reply')) return;
    const end = this.#reader.sessionEnd(payload, onErrorTopic);
    if (end === undefined) return;
    this.#effects.onEnd(end);
    const notice = this.#reader.kicked(end);
    if (notice) this.#listeners.tell(notice);
  }
}
