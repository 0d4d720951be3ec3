import type { Json, MessageIds, OperationName } from '../protocol';
import type { Delivery } from './broker/delivery';
import type { Session } from './broker/session';
import type { KickCode, SessionOwner } from './broker/session-owner';
import type { ExchangeLog } from './exchanges';
import type { FaultRules } from './faults';
import type { FileServer } from './files/file-server';
import type { ServedFile } from './files/served-file';
import type { Forwarding } from './forwarding/forwarding';
import type { EmulatorLimits } from './options';
import type { Device } from './registry/device';
import type { FileBudget } from './registry/files';
import type { Registry } from './registry/registry';

/**
 * What the parts of the platform stand on: what is stored, the way to a device, and what is on record. A part asks for
 * this and for those other parts that it needs, so none of them knows the whole.
 */
export interface Ground {
  readonly limits: EmulatorLimits;
  readonly registry: Registry;
  readonly exchanges: ExchangeLog;
  readonly faults: FaultRules;
  /** What applications are told (B.9). */
  readonly forwarding: Forwarding;
  /** Firmware and configurations that devices fetch. */
  readonly files: FileServer;
  readonly firmwareBudget: FileBudget;
  /** Ids of the platform's own requests. */
  readonly messageIds: MessageIds;
  /** Nothing is sent: what a dead network looks like. */
  readonly silent: boolean;
  /** Milliseconds since 1970. */
  clock(): number;
  log(line: string): void;
  sessionOf(device: Device): Session;
  /**
   * A session began.
   * @param at where it comes from, and our own address as it reached it
   * @param gateway through which it is logged in
   */
  online(
    device: Device,
    owner: SessionOwner,
    at: { clientIp: string; reachedAt: string },
    gateway?: Device,
  ): void;
  offline(device: Device, owner: SessionOwner, note: string): void;
  /**
   * Closes the device's connection, or ends its session behind a gateway.
   * @returns whether it had one
   */
  kick(device: Device, code?: KickCode): boolean;
  /**
   * Sends a message to a device.
   * @param operation its name in the catalogue, for faults and the log
   */
  push(
    device: Device,
    topic: string,
    payload: string | Uint8Array,
    qos: 0 | 1,
    operation?: OperationName,
  ): Delivery;
  /** Sends a request in the common envelope whose answer nobody waits for. */
  request(device: Device, name: OperationName, params: Json): Delivery;
  /** Runs `work` later, unless the emulator ends before. */
  later(ms: number, work: () => void): void;
  /** A file of a package that is gone. */
  forgetFile(file: ServedFile): void;
}
