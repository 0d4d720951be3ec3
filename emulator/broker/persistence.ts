import { Readable } from 'node:stream';
import type { Session } from './session';

interface ClientRef {
  id: string;
}

/**
 * What the broker library asks its store. Sessions keep everything themselves (`session.ts`), bounded and
 * without the library's linear searches; nothing is retained and no will is kept, because the platform has
 * neither (A.2).
 */
export class SessionPersistence {
  constructor(private readonly sessionOf: (clientId: string) => Session | undefined) {}

  async setup(): Promise<void> {}

  async subscriptionsByClient({ id }: ClientRef): Promise<Array<{ topic: string; qos: 0 | 1 }>> {
    return [...(this.sessionOf(id)?.subscriptions ?? [])].map(([topic, qos]) => ({ topic, qos }));
  }

  async outgoingClearMessageId({ id }: ClientRef, packet: { messageId: number }): Promise<object> {
    this.sessionOf(id)?.line?.acknowledge(packet.messageId);
    return packet;
  }

  outgoingStream(): Readable {
    return Readable.from([]);
  }

  createRetainedStreamCombi(): Readable {
    return Readable.from([]);
  }

  streamWill(): Readable {
    return Readable.from([]);
  }

  async addSubscriptions(): Promise<void> {}
  async removeSubscriptions(): Promise<void> {}
  async cleanSubscriptions(): Promise<void> {}
  async subscriptionsByTopic(): Promise<[]> {
    return [];
  }
  async cleanIncoming(): Promise<void> {}
  async delWill(): Promise<void> {}
  async destroy(): Promise<void> {}
}
