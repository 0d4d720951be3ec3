import { type IStore, type Packet, Store } from 'mqtt';

type Put = IStore['put'];
type Del = IStore['del'];

/**
 * Takes the place of MQTT.js's store of unacknowledged packets, which is there to send them again after a
 * reconnect. Ours never does that: what was unanswered has failed, and its sender decides.
 */
export class ForgetfulStore extends Store {
  override put(_packet: Packet, done: Parameters<Put>[1]): this {
    done();
    return this;
  }

  override del(packet: Parameters<Del>[0], done: Parameters<Del>[1]): this {
    done(undefined, packet as Packet);
    return this;
  }
}
