import type { DeviceIdentity, JsonObject } from '../protocol';
import type { Session } from './broker/session';
import type { ConfigurationPush } from './configuration/types';
import { type UpgradeView, viewUpgrade } from './ota/api';
import type {
  DesiredValue,
  Device,
  DeviceLogEntry,
  DeviceStatus,
  StoredEvent,
  StoredSample,
} from './registry/device';
import type { TaskStatus } from './registry/jobs';
import type { Topology } from './registry/topology';

/** What is known of a device. */
export interface DeviceView {
  identity: DeviceIdentity;
  iotId: string;
  status: DeviceStatus;
  /** The gateway that it stands behind. */
  gateway: DeviceIdentity | undefined;
  /** Those behind it, in the order in which they were added. */
  subDevices: DeviceIdentity[];
  /** Whose connection carries its messages: its own, or its gateway's; undefined without a session. */
  connectedAs: DeviceIdentity | undefined;
  /** QoS 1 messages that wait for it. */
  waiting: number;
  subscriptions: string[];
  /** Latest value of each property. */
  properties: Record<string, StoredSample>;
  /** Oldest first, as many as are kept. */
  history(identifier: string): StoredSample[];
  events: StoredEvent[];
  tags: Record<string, string>;
  desired: Record<string, DesiredValue>;
  /** The shadow document. */
  shadow: JsonObject;
  /** Its log, oldest first. */
  logs: DeviceLogEntry[];
  /** What it told about its network, oldest first. */
  diagnoses: StoredSample[];
  /** Its parts of jobs, oldest first. */
  tasks: Array<{
    taskId: string;
    jobId: string;
    status: TaskStatus;
    progress: number;
    statusDetails: JsonObject;
  }>;
  /** Versions of its firmware, by module. */
  firmwareVersions: Record<string, string>;
  /** Its parts of upgrades, oldest first. */
  upgrades: UpgradeView[];
  /** The last remote configuration that was pushed to it. */
  configuration: ConfigurationPush | undefined;
  /** What it uploaded, latest first; `sizeBytes` of `file(name)`. */
  files: Array<{ fileId: string; name: string; sizeBytes: number; time: number }>;
  /** Content of an uploaded file. @returns undefined when there is none of this name */
  file(name: string): Uint8Array | undefined;
}

/** @param now milliseconds since 1970 */
export function viewDevice(device: Device, session: Session, topology: Topology, now: number): DeviceView {
  const latest = [...device.properties].map(([identifier, ring]) => [identifier, ring.last()]);
  return {
    identity: device.identity,
    iotId: device.iotId,
    status: device.status,
    gateway: topology.gatewayOf(device)?.identity,
    subDevices: Array.from(topology.subDevicesOf(device), ({ identity }) => identity),
    connectedAs: session.line?.session.device.identity,
    waiting: session.waiting,
    subscriptions: [...session.subscriptions.keys()],
    properties: Object.fromEntries(latest) as Record<string, StoredSample>,
    history: (identifier) => [...(device.properties.get(identifier) ?? [])],
    events: [...device.events],
    tags: Object.fromEntries(device.tags),
    desired: Object.fromEntries(device.desired),
    shadow: device.shadow.document(),
    logs: [...device.logs],
    diagnoses: [...device.diagnoses],
    tasks: [...device.tasks.values()].map((task) => ({
      taskId: task.taskId,
      jobId: task.job.jobId,
      status: task.status(now),
      progress: task.progress,
      statusDetails: task.statusDetails,
    })),
    firmwareVersions: Object.fromEntries(
      [...device.moduleVersions].map(([module, { version }]) => [module, version]),
    ),
    upgrades: [...device.upgrades.values()].map(viewUpgrade),
    configuration: device.configurationPush && { ...device.configurationPush },
    files: device.files.list().map(({ fileId, name, content, time }) => ({
      fileId,
      name,
      sizeBytes: content.length,
      time,
    })),
    file: (name) => device.files.find(name)?.content,
  };
}
