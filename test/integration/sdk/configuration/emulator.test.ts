import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { type Emulator, startEmulator } from '../../../../emulator';
import {
  type AlinkError,
  closeAllDevices,
  type Device,
  fileConfigurationStore,
  openDevice,
  type ReceivedConfiguration,
} from '../../../../sdk';
import { Inbox } from '../../../support/inbox';
import { state } from '../../../support/sdk-device';

const IDENTITY = { productKey: 'a1Config', deviceName: 'box-01' };

describe('remote configuration on the emulator', () => {
  let emulator: Emulator;
  let folder: string;
  let now: number;
  let deviceSecret: string;

  beforeEach(async () => {
    now = Date.now();
    emulator = await startEmulator({ autoProvision: true, clock: () => now });
    ({ deviceSecret } = emulator.provisionDevice(IDENTITY));
    folder = mkdtempSync(join(tmpdir(), 'alink-configuration-'));
  });

  afterEach(async () => {
    await closeAllDevices();
    await emulator.close();
    rmSync(folder, { recursive: true, force: true });
  });

  function open(): Device {
    return openDevice({
      identity: IDENTITY,
      platform: {
        kind: 'emulator',
        host: '127.0.0.1',
        ports: { tcp: emulator.ports.mqtt ?? 0 },
        httpUrl: emulator.httpUrl,
      },
      transport: 'tcp',
      authentication: { kind: 'deviceSecret', deviceSecret },
      configurationStore: fileConfigurationStore(folder),
      timing: { backoff: { first: 10, longest: 20 }, endMs: 50 },
    });
  }

  async function listen() {
    const device = open();
    const got = new Inbox<ReceivedConfiguration>();
    const problems = new Inbox<AlinkError>();
    device.configuration.onPush(got.put, { onProblem: problems.put });
    device.connect();
    await state(device, 'online');
    return { device, got, problems };
  }

  it('pushed while the device was away: comes with the next session, also when its address has expired', async () => {
    await listen();
    await closeAllDevices();
    emulator.configuration.set(IDENTITY.productKey, { content: { rate: 5 } });
    const [pushed] = await emulator.configuration.push(IDENTITY);
    assert.equal(pushed?.delivery, 'queued');
    // Two days: addresses are good for one.
    now += 2 * 86_400_000;
    const { got, device } = await listen();
    const configuration = await got.next();
    assert.deepEqual(configuration.document, { rate: 5 });
    assert.equal(configuration.source, 'push');
    await configuration.answer({});
    assert.equal((await device.configuration.current())?.configId, pushed?.configId);
    await emulator.exchanges.waitFor(({ topic }) => (topic ?? '').endsWith('config/push_reply'));
    assert.equal(emulator.devices.get(IDENTITY)?.configuration?.code, 200);
  });

  it('switched off or never stored: the codes that say so', async () => {
    const { device } = await listen();
    const codeOf = () => device.configuration.get().then(String, ({ code }: AlinkError) => code);
    assert.equal(await codeOf(), 6710);
    emulator.configuration.set(IDENTITY.productKey, { content: { rate: 5 } });
    emulator.configuration.set(IDENTITY.productKey, { enabled: false });
    assert.equal(await codeOf(), 6713);
  });
});
