import { topicMatches } from '../protocol';
import type { Device } from './registry/device';

/** What a fault does to the messages it strikes. */
export type FaultAction =
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

export interface FaultMatch {
  productKey?: string;
  deviceName?: string;
  /** Messages of devices (up, the default) or of the platform (down). */
  direction?: 'up' | 'down';
  /** MQTT filter. */
  topic?: string;
  /** Name in the catalogue. */
  operation?: string;
}

export type FaultRule = FaultAction & {
  match?: FaultMatch;
  /** How many messages it strikes; all when absent. */
  times?: number;
};

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
  ): FaultRule | undefined {
    if (this.rules.length === 0) return undefined;
    const { identity } = device;
    const hit = this.rules.find(({ rule: { match = {} } }) => {
      if ((match.direction ?? 'up') !== direction) return false;
      if (match.productKey !== undefined && match.productKey !== identity.productKey) return false;
      if (match.deviceName !== undefined && match.deviceName !== identity.deviceName) return false;
      if (match.operation !== undefined && match.operation !== operation) return false;
      return match.topic === undefined || topicMatches(match.topic, topic);
    });
    if (hit === undefined) return undefined;
    hit.left--;
    if (hit.left <= 0) this.remove(hit.id);
    return hit.rule;
  }
}
