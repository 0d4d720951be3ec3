import { createHash } from 'node:crypto';
import { type DeviceIdentity, type Json, thingKey } from '../../protocol';
import type { ConfigurationPush } from '../configuration/types';
import type { ServedFile } from '../files/served-file';
import type { EmulatorLimits } from '../options';
import type { OtaTask } from '../ota/jobs';
import { DeviceFiles, type FileBudget } from './files';
import type { JobTask } from './jobs';
import type { Product } from './product';
import { Ring } from './ring';
import { Shadow } from './shadow';

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

/** An entry of the device's log (B.3 row 37). */
export interface DeviceLogEntry {
  utcTime: string;
  logLevel: string;
  module: string;
  code: string;
  traceContext: string;
  logContent: string;
  /** When it arrived, milliseconds since 1970. */
  time: number;
}

/** A value that the application wants, with its version (B.1 row 15). */
export interface DesiredValue {
  value: Json;
  version: number;
  time: number;
}

/** A service that was carried out, or could not be. */
export interface ServiceRecord {
  identifier: string;
  time: number;
  input: Json;
  output: Json;
}

/** What happens to the payloads of a topic: `decompress` those that the device publishes, `compress` those it gets. */
export type Codec = 'decompress' | 'compress';

const LOG_ENTRIES = 200;
const SERVICE_RECORDS = 200;
const DIAGNOSES = 50;

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
  /** When its last message arrived, or its connection. */
  lastHeardAt: number | undefined;
  clientIp = '';
  /** Our own address as it reached it; empty before. */
  reachedAt = '';
  /** What registration without pre-registration gave (A.7). */
  deviceToken: { clientId: string; token: string } | undefined;
  readonly tags = new Map<string, string>();
  readonly desired = new Map<string, DesiredValue>();
  readonly services = new Ring<ServiceRecord>(SERVICE_RECORDS);
  readonly shadow = new Shadow();
  /** Tasks of jobs by their id, in the order of their making. */
  readonly tasks = new Map<string, JobTask>();
  /** Upgrades of its firmware by the id of their task, in the order of their making. */
  readonly upgrades = new Map<string, OtaTask>();
  /** Versions that it reported, by module. */
  readonly moduleVersions = new Map<string, { version: string; time: number }>();
  /** The last remote configuration that was pushed to it. */
  configurationPush: ConfigurationPush | undefined;
  /** The last model configuration that was pushed to it, a gateway. */
  modelConfiguration: ServedFile | undefined;
  readonly files: DeviceFiles;
  readonly logs = new Ring<DeviceLogEntry>(LOG_ENTRIES);
  /** What it told about its network (B.3 row 38). */
  readonly diagnoses = new Ring<StoredSample>(DIAGNOSES);
  /** Topics with compressed payloads (B.8 row 103). */
  codecs: ReadonlyMap<string, Codec> = new Map();
  /** 1: the device may post its log (B.3 row 35). */
  logMode: 0 | 1 = 0;
  readonly properties = new Map<string, Ring<StoredSample>>();
  readonly events: Ring<StoredEvent>;
  private bytes = 0;

  constructor(
    readonly product: Product,
    readonly identity: DeviceIdentity,
    /** Absent for a device that somebody brought in whose secret nobody told us. */
    public deviceSecret: string | undefined,
    readonly createdAt: number,
    private readonly limits: EmulatorLimits,
    budget: FileBudget,
  ) {
    this.key = thingKey(identity);
    // Stable for one identity, so that tokens and logs of two runs can be compared.
    this.iotId = createHash('sha256').update(this.key).digest('base64url').slice(0, 20);
    this.events = new Ring(limits.eventsPerDevice);
    this.files = new DeviceFiles(budget);
  }

  get status(): DeviceStatus {
    if (!this.enabled) return 'DISABLE';
    if (this.onlineSince !== undefined) return 'ONLINE';
    return this.activatedAt === undefined ? 'UNACTIVE' : 'OFFLINE';
  }

  /** Keeps a value. @returns false when there are too many identifiers or too much data of this device already */
  storeSample(identifier: string, sample: StoredSample): boolean {
    let ring = this.properties.get(identifier);
    if (ring === undefined && this.properties.size >= this.limits.propertiesPerDevice) return false;
    if (!this.claim(sizeOf(sample.value))) return false;
    if (ring === undefined) {
      ring = new Ring(this.limits.samplesPerProperty);
      this.properties.set(identifier, ring);
    }
    this.release(ring.push(sample));
    return true;
  }

  /** Keeps an event. @returns false when there is too much data of this device already */
  storeEvent(event: StoredEvent): boolean {
    if (!this.claim(sizeOf(event.value))) return false;
    this.release(this.events.push(event));
    return true;
  }

  /** Makes room by forgetting history: latest values matter most. */
  private claim(size: number): boolean {
    if (this.bytes + size > this.limits.deviceBytes) {
      this.bytes = 0;
      for (const ring of [...this.properties.values(), this.events]) {
        ring.keepLast();
        this.bytes += sizeOf(ring.last()?.value ?? null);
      }
    }
    if (this.bytes + size > this.limits.deviceBytes) return false;
    this.bytes += size;
    return true;
  }

  private release(entry: { value: Json } | undefined): void {
    if (entry !== undefined) this.bytes -= sizeOf(entry.value);
  }
}

const ENTRY_BYTES = 64;

/** About how much memory a stored value takes. */
function sizeOf(value: Json): number {
  if (typeof value === 'string') return ENTRY_BYTES + value.length;
  return typeof value === 'object' && value !== null
    ? ENTRY_BYTES + 2 * JSON.stringify(value).length
    : ENTRY_BYTES;
}
