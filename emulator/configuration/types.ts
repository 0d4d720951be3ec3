import type { Delivery } from '../broker/delivery';
import type { ServedFile } from '../files/served-file';

/** A product's configuration from the cloud (B.3 rows 33, 34). */
export interface RemoteConfiguration {
  enabled: boolean;
  /** Absent before the first was stored. */
  stored: { configId: string; file: ServedFile; text: string; time: number } | undefined;
  /** Files of earlier versions, oldest first: who was told of one of them may still be on the way to it. */
  readonly earlier: ServedFile[];
}

/** What came of a configuration that was pushed to a device. */
export interface ConfigurationPush {
  configId: string;
  delivery: Delivery;
  pushedAt: number;
  /** Code of the device's answer; undefined while there is none. */
  code: number | undefined;
  /** What the device said with it. */
  message: string | undefined;
}
