import type { DeviceIdentity } from '../protocol';
import type { IncomingRequest, RequestFilter, RequestHandling } from './downlink/types';
import type { MessageListener } from './listeners';
import type { Answer } from './operations';
import type { Submission } from './report/dispatcher';
import type { LogLine, RequestOptions } from './types';

/** What firmware and configuration need of a thing's connection. */
export interface ThingConnection {
  readonly identity: DeviceIdentity;
  readonly isOnline: boolean;
  /** Ids of messages. */
  readonly dispatcher: { nextId(): string };
  onOnline(listener: () => void): () => void;
  onMessage(filter: string, entry: MessageListener): () => void;
  onRequest(
    filter: RequestFilter,
    handler: (request: IncomingRequest) => void,
    handling: RequestHandling,
  ): () => void;
  publish(
    topic: string,
    payload: string,
    qos: 0 | 1,
    options: Pick<RequestOptions, 'timeoutMs' | 'signal'>,
  ): Promise<void>;
  request(submission: Submission): Promise<Answer>;
  log(line: LogLine): void;
}
