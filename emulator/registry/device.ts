import { createHash } from 'node:crypto';
import { type DeviceIdentity, type Json, thingKey } from '../../protocol';
import type { EmulatorLimits } from '../options';
import type { Product } from './product';
import { Ring } from './ring';

/** A value as the platform stored it. */
export interface StoredSample {
  value: Json;
  /** Milliseconds since 1970. */
  time: number;
}

export interface StoredEvent {
  identifier: string;
  type: 'info' | 'alert' | 'error';
  name: string;
  value: Json;
  time: number;
}

/** Status names of the platform's API. */
export type DeviceStatus = 'UNACTIVE' | 'ONLINE' | 'OFFLINE' | 'DISABLE';

/** A device as the platform knows it. */
export class Device {
  readonly key: string;
  readonly iotId: string;
  enabled = true;
  /** First successful connection (A.1); from then on registration gives no secret. */
  activatedAt: number | undefined;
  onlineSince: number | undefined;
  lastOnlineAt: number | undefined;
  clientIp = '';
  /** What registration without pre-registration gave (A.7). */
  deviceToken: { clientId: string; token: string } | undefined;
  readonly tags = new Map<string, string>();
  readonly properties = new Map<string, Ring<StoredSample>>();
  readonly events: Ring<StoredEvent>;

  constructor(
    readonly product: Product,
    readonly identity: DeviceIdentity,
    /** Absent for a device that somebody brought in whose secret nobody told us. */
    public deviceSecret: string | undefined,
    readonly createdAt: number,
    private readonly limits: EmulatorLimits,
  ) {
    this.key = thingKey(identity);
    // Stable for one identity, so that tokens and logs of two runs can be compared.
    this.iotId = createHash('sha256').update(this.key).digest('base64url').slice(0, 20);
    this.events = new Ring(limits.eventsPerDevice);
  }

  get status(): DeviceStatus {
    if (!this.enabled) return 'DISABLE';
    if (this.onlineSince !== undefined) return 'ONLINE';
    return this.activatedAt === undefined ? 'UNACTIVE' : 'OFFLINE';
  }

  /** Keeps a value. @returns false when a device without a thing model has too many identifiers already */
  storeSample(identifier: string, sample: StoredSample): boolean {
    let ring = this.properties.get(identifier);
    if (ring === undefined) {
      if (this.properties.size >= this.limits.propertiesPerDevice) return false;
      ring = new Ring(this.limits.samplesPerProperty);
      this.properties.set(identifier, ring);
    }
    ring.push(sample);
    return true;
  }
}
