import { type DeviceIdentity, type Json, topicProblem } from '../protocol';
import { MqttBroker } from './broker/broker';
import type { Delivery } from './broker/delivery';
import { makeCertificate } from './certificate';
import { readConfig } from './config';
import {
  type ConfigurationPanel,
  createConfigurationPanel,
  createModelConfigurationPanel,
  type ModelConfigurationPanel,
} from './configuration/api';
import { viewDevice } from './device-view';
import { OpenDoor } from './doors';
import type { ExchangeLog } from './exchanges';
import { fill, fillFirmware } from './fill';
import type { MessageLog } from './forwarding/message-log';
import { logConfig } from './handlers/logs';
import { createHttpHandler } from './http/handler';
import { cancelJob, createJob } from './jobs';
import { DEFAULT_LIMITS, DOORS, type Door, type EmulatorOptions, UnknownDeviceError } from './options';
import { createFirmwarePanel, type FirmwarePanel } from './ota/api';
import { Platform } from './platform';
import type { Device } from './registry/device';
import { scriptProblem } from './script/types';
import { readSnapshot, writeSnapshot } from './snapshot';
import type { Emulator, FaultPanel } from './types';

/**
 * Starts the emulator.
 * @throws ConfigError when the configuration is wrong, with the path
 * @throws DoorError when a port cannot be opened; its `code` is the system's, for example EADDRINUSE
 */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const config = readConfig(options.config ?? {});
  const limits = { ...DEFAULT_LIMITS, ...config.limits, ...options.limits };
  const platform = new Platform(
    limits,
    options.clock ?? Date.now,
    options.autoProvision ?? config.autoProvision ?? false,
    options.log ?? (() => undefined),
  );
  const unnamed = fill(platform, config);
  await fillFirmware(platform, config);
  if (options.snapshotFile !== undefined) await readSnapshot(platform, options.snapshotFile, unnamed);

  const host = options.host ?? '127.0.0.1';
  const doors = options.doors ?? { mqtt: 0, http: 0 };
  const wantsTls = doors.mqtts !== undefined || doors.wss !== undefined || doors.https !== undefined;
  const made = wantsTls && options.tls === undefined ? await makeCertificate(host) : undefined;
  const broker = await MqttBroker.create(platform);
  const running = new RunningEmulator(platform, broker, host, options.snapshotFile, made?.cert);
  const httpHandler = createHttpHandler({ platform, emulator: running, accessKeys: config.accessKeys });
  try {
    for (const door of DOORS) {
      const port = doors[door];
      if (port === undefined) continue;
      const context = {
        host,
        broker,
        httpHandler,
        tls: options.tls ?? made,
        maxPacketBytes: limits.payloadBytes + 1024,
      };
      running.opened(await OpenDoor.open(door, port, context));
    }
  } catch (thrown) {
    await running.close();
    throw thrown;
  }
  return running;
}

class RunningEmulator implements Emulator {
  readonly addresses: Partial<Record<Door, string>> = {};
  readonly ports: Partial<Record<Door, number>> = {};
  readonly ca?: string;
  httpUrl = '';
  readonly exchanges: ExchangeLog;
  readonly messages: MessageLog;
  readonly firmware: FirmwarePanel;
  readonly configuration: ConfigurationPanel;
  readonly modelConfiguration: ModelConfigurationPanel;
  private readonly doors: OpenDoor[] = [];
  private listening = true;
  private closing: Promise<void> | undefined;

  constructor(
    private readonly platform: Platform,
    private readonly broker: MqttBroker,
    private readonly host: string,
    private readonly snapshotFile: string | undefined,
    ca: string | undefined,
  ) {
    this.exchanges = platform.exchanges;
    this.messages = platform.forwarding.messages;
    this.firmware = createFirmwarePanel(platform);
    this.configuration = createConfigurationPanel(platform);
    this.modelConfiguration = createModelConfigurationPanel(platform);
    platform.fileOrigin = (device) => this.fileOrigin(device);
    if (ca !== undefined) this.ca = ca;
  }

  opened(door: OpenDoor): void {
    this.doors.push(door);
    const host = this.host.includes(':') ? `[${this.host}]` : this.host;
    const address = `${door.door}://${host}:${door.port}`;
    this.addresses[door.door] = address;
    this.ports[door.door] = door.port;
    if (door.door === 'http' || (door.door === 'https' && this.httpUrl === '')) this.httpUrl = address;
  }

  provisionDevice(identity: DeviceIdentity, thingModelDocument?: Json): { deviceSecret: string } {
    const { deviceSecret = '' } = this.platform.registry.provision(identity, thingModelDocument);
    return { deviceSecret };
  }

  setScript(productKey: string, script: string): void {
    const product = this.platform.registry.products.get(productKey);
    if (product === undefined) throw new RangeError(`there is no product ${productKey}`);
    const problem = scriptProblem(script);
    if (problem !== undefined) throw new RangeError(`the script is too long: ${problem}`);
    this.platform.setScript(product, script);
  }

  readonly faults: FaultPanel = {
    add: (rule) => this.platform.faults.add(rule),
    remove: (id) => this.platform.faults.remove(id),
    list: () => this.platform.faults.list(),
    clear: async () => {
      this.platform.faults.clear();
      this.broker.setSilent(false);
      await this.faults.startListening();
    },
    kick: (identity) => this.platform.kick(this.known(identity)),
    dropConnections: () => this.broker.dropConnections(),
    stopListening: async () => {
      if (!this.listening) return;
      this.listening = false;
      await Promise.all(this.mqttDoors().map((door) => door.close()));
    },
    startListening: async () => {
      if (this.listening) return;
      await Promise.all(this.mqttDoors().map((door) => door.listen()));
      this.listening = true;
    },
    goSilent: (silent = true) => this.broker.setSilent(silent),
    expireTokens: () => this.platform.tokens.expireAll(),
  };

  readonly devices: Emulator['devices'] = {
    list: () => [...this.platform.registry.devices()].map(({ identity }) => identity),
    get: (identity) => {
      const { platform } = this;
      const device = platform.registry.find(identity);
      if (device === undefined) return undefined;
      return viewDevice(device, platform.sessionOf(device), platform.registry.topology, platform.clock());
    },
    setEnabled: (identity, enabled) => this.platform.setEnabled(this.known(identity), enabled),
    setLogMode: (identity, mode) => {
      const device = this.known(identity);
      device.logMode = mode;
      return this.platform.request(device, 'thing.config.log.push', logConfig(mode));
    },
    delete: (identity) => this.platform.deleteDevice(this.known(identity)),
  };

  readonly topology: Emulator['topology'] = {
    subDevices: (gateway) =>
      Array.from(
        this.platform.registry.topology.subDevicesOf(this.known(gateway)),
        ({ identity }) => identity,
      ),
    gatewayOf: (subDevice) => this.platform.registry.topology.gatewayOf(this.known(subDevice))?.identity,
    add: (gateway, subDevices) => {
      const known = this.known(gateway);
      const added = subDevices.map((subDevice) => this.known(subDevice));
      for (const subDevice of added) {
        if (known.product.mayBeGateway && subDevice.product.mayBeSubDevice && subDevice !== known) continue;
        throw new RangeError(`${subDevice.key} cannot stand behind ${known.key}`);
      }
      this.platform.topology.add(known, added);
    },
    remove: (subDevices) => this.platform.topology.remove(subDevices.map((one) => this.known(one))),
    notifyAdd: async (gateway, devices) => {
      const params = devices.map(({ productKey, deviceName }) => ({ productKey, deviceName }));
      return this.platform.downlink.send(this.known(gateway), { operation: 'thing.topo.add.notify', params });
    },
  };

  readonly jobs: Emulator['jobs'] = {
    create: (devices, { name = 'job', document = {}, file, inProgressMs } = {}) => {
      const target = { targetType: 'DEVICE_LIST', targetDevices: devices.map((device) => ({ ...device })) };
      const known = devices.map((device) => this.known(device));
      const settings = { name, description: '', document, file, inProgressMs, target };
      const { jobId } = createJob(this.platform, settings, known);
      return { jobId };
    },
    cancel: (jobId) => {
      const job = this.platform.registry.jobs.get(jobId);
      if (job !== undefined) cancelJob(this.platform, job);
      return job !== undefined;
    },
  };

  publishToDevice(
    identity: DeviceIdentity,
    topic: string,
    payload: string | Uint8Array,
    qos: 0 | 1 = 1,
  ): Delivery {
    const problem = topicProblem(topic);
    if (problem !== undefined) throw new RangeError(`"${topic}" cannot be published to: ${problem}`);
    return this.platform.push(this.known(identity), topic, payload, qos);
  }

  close(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  private async end(): Promise<void> {
    this.platform.close();
    await this.broker.close();
    await Promise.all(this.doors.map((door) => door.close()));
    if (this.snapshotFile !== undefined) await writeSnapshot(this.platform, this.snapshotFile);
  }

  // Over TLS when it can be, as on the platform; by the address that the device itself came to.
  private fileOrigin({ reachedAt }: Device): string | undefined {
    const scheme = this.ports.https === undefined ? 'http' : 'https';
    const port = this.ports[scheme];
    if (port === undefined) return undefined;
    const everywhere = this.host === '0.0.0.0' || this.host === '::';
    const host = everywhere ? reachedAt.replace(/^::ffff:/, '') || '127.0.0.1' : this.host;
    return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`;
  }

  private mqttDoors(): OpenDoor[] {
    return this.doors.filter(({ door }) => door !== 'http' && door !== 'https');
  }

  private known(identity: DeviceIdentity): Device {
    const device = this.platform.registry.find(identity);
    if (device === undefined) throw new UnknownDeviceError(identity);
    return device;
  }
}
