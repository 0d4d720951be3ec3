import {
  type AlinkError,
  type ConfigurationListening,
  closeAllDevices,
  type Device,
  type DeviceOptions,
  fileConfigurationStore,
  openDevice,
  type ReceivedConfiguration,
} from '../../sdk';
import type { ConfigurationPlatform } from './configuration-platform';
import { Inbox } from './inbox';
import { state } from './sdk-device';

const IDENTITY = { productKey: 'a1Test', deviceName: 'lamp-1' };

/** A device that listens, and what it was given. */
export interface Listening {
  device: Device;
  got: Inbox<ReceivedConfiguration>;
  problems: Inbox<AlinkError>;
  trials: Inbox<{ configId: string; until: number }>;
  confirmed: Inbox<string>;
  /** What it waited for, and how long. */
  retries: Inbox<{ error: AlinkError; waitMs: number }>;
  stop: () => void;
}

/** Opens the device of a made-up platform, again and again, with what is on disk. */
export class ConfiguredDevice {
  constructor(
    private readonly platform: ConfigurationPlatform,
    private readonly folder: string,
  ) {}

  open(more: Partial<DeviceOptions> = {}): Device {
    const ports = { tcp: this.platform.broker.port };
    return openDevice({
      identity: IDENTITY,
      platform: { kind: 'emulator', host: '127.0.0.1', ports, httpUrl: '' },
      transport: 'tcp',
      authentication: { kind: 'deviceSecret', deviceSecret: 'secret' },
      configurationStore: fileConfigurationStore(this.folder),
      ...more,
      timing: {
        backoff: { first: 10, longest: 20 },
        downloadBackoff: { first: 10, longest: 20 },
        endMs: 50,
        takeoverMs: 300,
        configurationSettleMs: 20,
        configurationGraceMs: 150,
        ...more.timing,
      },
    });
  }

  async listen(listening: ConfigurationListening = {}, device = this.open()): Promise<Listening> {
    const got = new Inbox<ReceivedConfiguration>();
    const problems = new Inbox<AlinkError>();
    const confirmed = new Inbox<string>();
    const trials: Listening['trials'] = new Inbox();
    const retries: Listening['retries'] = new Inbox();
    const stop = device.configuration.onPush(got.put, {
      onProblem: problems.put,
      onTrial: (configId, until) => trials.put({ configId, until }),
      onConfirmed: confirmed.put,
      onRetry: (error, waitMs) => retries.put({ error, waitMs }),
      ...listening,
    });
    device.connect();
    await state(device, 'online');
    return { device, got, problems, trials, confirmed, retries, stop };
  }

  /** Ends everything as a restart of the process does, and begins anew. */
  async restart(listening: ConfigurationListening = {}): Promise<Listening> {
    await closeAllDevices();
    return this.listen(listening);
  }
}
