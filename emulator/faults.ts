import { type DeviceIdentity, topicMatches } from '../protocol';
import type { Device } from './registry/device';

/** What a fault does to the messages it strikes. */
export type MessageFault =
  /** The message never arrives. */
  | { action: 'drop' }
  | { action: 'delay'; ms: number }
  /** The message is handled or sent twice. */
  | { action: 'duplicate' }
  /** The request is answered with this code and not carried out. */
  | { action: 'refuse'; code: number }
  /** The request is carried out, its answer never sent. */
  | { action: 'loseReply' }
  /** The answer is not JSON. */
  | { action: 'malformReply' }
  /** The connection is closed instead. */
  | { action: 'kick' };

/** What a fault does to files that devices fetch, and to what they are told about them. */
export type FileFault =
  /** The offer tells a digest that is wrong. */
  | { action: 'wrongDigest' }
  /** The offer tells a size that is wrong. */
  | { action: 'wrongSize' }
  /** The connection is closed before this byte of the file. */
  | { action: 'cutAt'; offset: number }
  /** This byte of the file is another one. */
  | { action: 'corrupt'; offset: number }
  /** 403, as for an address of yesterday. */
  | { action: 'urlExpired' }
  /** 403, as for an address that somebody changed. */
  | { action: 'urlAltered' }
  /** The whole file with 200, whatever part was asked for. */
  | { action: 'ignoreRange' }
  /** 302 to `to`, or to another address of the same file. */
  | { action: 'redirect'; to?: string }
  /** This HTTP status instead of the file. */
  | { action: 'status'; status: number }
  | { action: 'slow'; bytesPerSecond: number }
  /** A block over MQTT has a CRC that is wrong. */
  | { action: 'wrongCrc' };

export type FaultAction = MessageFault | FileFault;

export interface FaultMatch {
  productKey?: string;
  deviceName?: string;
  /** Messages of devices (up, the default) or of the platform (down); of no meaning for files. */
  direction?: 'up' | 'down';
  /** MQTT filter; for files it is compared with the path of the address. */
  topic?: string;
  /** Name in the catalogue; for files that of the message that tells their address. */
  operation?: string;
}

export type FaultRule = FaultAction & {
  match?: FaultMatch;
  /** How many messages it strikes; all when absent. */
  times?: number;
};

/** A rule that strikes messages. */
export type MessageFaultRule = FaultRule & MessageFault;

const MESSAGE_ACTIONS: readonly FaultAction['action'][] = [
  'drop',
  'delay',
  'duplicate',
  'refuse',
  'loseReply',
  'malformReply',
  'kick',
] satisfies MessageFault['action'][];

interface ActiveRule {
  id: number;
  rule: FaultRule;
  left: number;
}

const MOST_RULES = 100;

/** Rules that make messages go wrong; the first one that fits strikes. */
export class FaultRules {
  private rules: ActiveRule[] = [];
  private lastId = 0;

  /** @returns the rule's number, for `remove` @throws RangeError when there are 100 already */
  add(rule: FaultRule): number {
    if (this.rules.length >= MOST_RULES) throw new RangeError(`there are ${MOST_RULES} fault rules already`);
    this.rules.push({ id: ++this.lastId, rule, left: rule.times ?? Number.POSITIVE_INFINITY });
    return this.lastId;
  }

  remove(id: number): boolean {
    const before = this.rules.length;
    this.rules = this.rules.filter((entry) => entry.id !== id);
    return this.rules.length < before;
  }

  clear(): void {
    this.rules = [];
  }

  list(): Array<FaultRule & { id: number; left: number | null }> {
    return this.rules.map(({ id, rule, left }) => ({
      ...rule,
      id,
      left: Number.isFinite(left) ? left : null,
    }));
  }

  /** The rule that strikes this message; it counts as used. */
  strike(
    direction: 'up' | 'down',
    device: Device,
    topic: string,
    operation: string | undefined,
  ): MessageFaultRule | undefined {
    const hit = this.take(device.identity, topic, operation, ({ action, match }) => {
      return MESSAGE_ACTIONS.includes(action) && (match?.direction ?? 'up') === direction;
    });
    return hit as MessageFaultRule | undefined;
  }

  /**
   * The rule of this kind that strikes a file; it counts as used.
   * @param path of its address
   * @param fits looks at the rule's own numbers
   */
  strikeFile<A extends FileFault['action']>(
    action: A,
    identity: DeviceIdentity,
    path: string,
    operation: string,
    fits: (fault: Extract<FileFault, { action: A }>) => boolean = () => true,
  ): Extract<FileFault, { action: A }> | undefined {
    type Wanted = Extract<FileFault, { action: A }>;
    const hit = this.take(identity, path, operation, (rule) => {
      return rule.action === action && fits(rule as unknown as Wanted);
    });
    return hit as unknown as Wanted | undefined;
  }

  private take(
    identity: DeviceIdentity,
    topic: string,
    operation: string | undefined,
    fits: (rule: FaultRule) => boolean,
  ): FaultRule | undefined {
    if (this.rules.length === 0) return undefined;
    const hit = this.rules.find(({ rule }) => {
      const { match = {} } = rule;
      if (match.productKey !== undefined && match.productKey !== identity.productKey) return false;
      if (match.deviceName !== undefined && match.deviceName !== identity.deviceName) return false;
      if (match.operation !== undefined && match.operation !== operation) return false;
      return (match.topic === undefined || topicMatches(match.topic, topic)) && fits(rule);
    });
    if (hit === undefined) return undefined;
    hit.left--;
    if (hit.left <= 0) this.remove(hit.id);
    return hit.rule;
  }
}
