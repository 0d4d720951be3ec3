import type { DeviceIdentity } from '../../protocol';
import type { Device } from '../registry/device';
import { MessageLog } from './message-log';
import type { PlatformMessageInput } from './messages';
import { type Destination, TopicRoutes } from './routes';

/** Sends a message to the device that owns its topic, as the API's Pub does. */
export type Deliver = (destination: Destination, payload: string | Uint8Array) => void;

/**
 * The platform's stream to applications, and the routes that lead from it back to devices. A routed message is not
 * itself part of the stream, so routes cannot run in circles; devices that answer each other can, as on the platform.
 */
export class Forwarding {
  readonly messages: MessageLog;
  readonly routes: TopicRoutes;

  constructor(
    limits: { messages: number; topicRoutes: number },
    private readonly clock: () => number,
    private readonly deliver: Deliver,
  ) {
    this.messages = new MessageLog(limits.messages);
    this.routes = new TopicRoutes(limits.topicRoutes);
  }

  /** A message in one of the platform's own shapes. */
  publish({ identity }: Device, { topic, body }: PlatformMessageInput): void {
    this.pass(identity, topic, JSON.stringify(body));
  }

  /** A message on a topic of the device's own, as it came. */
  pass(identity: DeviceIdentity, topic: string, payload: string | Uint8Array): void {
    this.messages.add(this.clock(), identity, topic, payload);
    for (const destination of this.routes.destinations(topic, identity)) this.deliver(destination, payload);
  }
}
