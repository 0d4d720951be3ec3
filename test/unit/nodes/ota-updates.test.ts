import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { DownloadTally } from '../../../nodes/alink-ota-in/download-tally';
import { ProgressPace } from '../../../nodes/alink-ota-in/progress-pace';
import { Updates } from '../../../nodes/alink-ota-in/updates';
import { type ThingFirmware, thingFirmware } from '../../../nodes/shared/thing-firmware';
import { AlinkError, type Device, type DownloadOptions, type FirmwareOffer } from '../../../sdk';

const IDENTITY = { productKey: 'a1Unit', deviceName: 'unit-1' };

function offerOf(version: string, digest = version): FirmwareOffer {
  return {
    version,
    module: 'default',
    isDiff: false,
    files: [
      { name: 'image.bin', size: 10, digest: { method: 'md5', value: digest }, url: 'https://a.b/c?secret' },
    ],
    source: 'push',
    receivedAt: 1,
  };
}

describe('what becomes of firmware offers', () => {
  let userDir = '';
  let firmware: ThingFirmware;
  let reports: Array<[number, string | undefined]>;
  let downloads: number;
  let stateName: Device['state']['name'];
  let download: (offer: FirmwareOffer, options: DownloadOptions) => Promise<void>;
  let closing: AbortController;
  let updates: Updates;
  const device = {
    identity: IDENTITY,
    get state() {
      return { name: stateName, waiting: 0 };
    },
    ota: {
      reportProgress: async (step: number, description?: string) => void reports.push([step, description]),
      download: async (offer: FirmwareOffer, options: DownloadOptions) => {
        downloads++;
        await download(offer, options);
        return { offer, files: [{ path: '/f/image.bin', name: 'image.bin', size: 10 }] };
      },
    },
  } as unknown as Device;

  beforeEach(async () => {
    userDir = mkdtempSync(join(tmpdir(), 'alink-ota-'));
    firmware = await thingFirmware(userDir, 'emulator', IDENTITY);
    reports = [];
    downloads = 0;
    stateName = 'online';
    download = async () => undefined;
    closing = new AbortController();
    updates = updatesOf('node-1');
  });

  function updatesOf(node: string, attempts = 2): Updates {
    return new Updates({
      node,
      settings: {
        module: undefined,
        work: 'download',
        download: { folder: '/f' },
        attempts,
        askOnStart: true,
        askBy: 'get',
        version: '',
        versionType: 'none',
        progressMessages: false,
        subDevices: false,
      },
      home: { isEmulator: false, firmwareOf: async () => firmware },
      signal: closing.signal,
      tally: new DownloadTally(() => undefined),
      onRetry: () => undefined,
      send: () => undefined,
    });
  }
  afterEach(() => rmSync(userDir, { recursive: true, force: true }));

  it('a lost connection is no failure: it goes on when there is one again', async () => {
    download = async () => {
      stateName = 'waiting';
      throw new AlinkError('downloadFailed', 'the network is away', { details: { step: -2 } });
    };
    const offer = offerOf('1.1');
    assert.equal(await updates.take(device, offer, false), undefined);
    assert.deepEqual(reports, []);
    assert.deepEqual(updates.takeWaiting({ identity: { ...IDENTITY, deviceName: 'unit-11' } }), []);
    assert.deepEqual(updates.takeWaiting(device), [offer]);
    assert.deepEqual(updates.takeWaiting(device), []);
    stateName = 'online';
    download = async () => undefined;
    assert.equal((await updates.take(device, offer, false))?.alink.status, 'downloaded');
  });

  it('with a connection the failure is told, with its step, and the offer may come again', async () => {
    download = async () => {
      throw new AlinkError('firmwareMismatch', 'other bytes', { details: { step: -3 } });
    };
    await assert.rejects(updates.take(device, offerOf('1.1'), false), { key: 'firmwareMismatch' });
    assert.deepEqual(reports, [[-3, 'other bytes']]);
    assert.equal(firmware.isUnderWay('default'), false);
    download = async () => undefined;
    assert.ok(await updates.take(device, offerOf('1.1'), false));
  });

  it('what ended because the node closes, or another version came, is no failure', async () => {
    for (const key of ['aborted', 'closed', 'firmwareReplaced'] as const) {
      download = async () => {
        throw new AlinkError(key, 'over');
      };
      assert.equal(await updates.take(device, offerOf('1.1'), false), undefined);
    }
    assert.deepEqual(reports, []);
  });

  it('the same offer is at work once; another content of the same version is another', async () => {
    let go: () => void = () => undefined;
    download = (_offer, { onProgress }) =>
      new Promise((resolve) => {
        onProgress?.({ doneBytes: 1, totalBytes: 10, percent: 10 });
        go = resolve;
      });
    const first = updates.take(device, offerOf('1.1'), false);
    await until(() => downloads === 1);
    assert.equal(await updates.take(device, offerOf('1.1'), true), undefined);
    go();
    assert.ok(await first);
    // Told before the flow had it.
    assert.deepEqual(
      reports.map(([step]) => step),
      [10, 100],
    );
    assert.equal(await updates.take(device, offerOf('1.1'), false), undefined);
    assert.equal(downloads, 1);
    download = async () => undefined;
    assert.ok(await updates.take(device, offerOf('1.1', 'other'), false));
  });

  it('is given up after so many times, however it is asked for; a version resets', async () => {
    for (let i = 0; i < 2; i++) assert.ok(await updates.take(device, offerOf('1.1'), true));
    for (const asked of [true, true]) {
      await assert.rejects(updates.take(device, offerOf('1.1'), asked), {
        key: 'firmwareGivenUp',
        details: {
          reason: 'version 1.1 was tried 2 times and never took effect',
          version: '1.1',
          module: 'default',
          attempts: 2,
          step: -1,
        },
      });
    }
    assert.equal(downloads, 2);
    assert.equal(reports.at(-1)?.[0], -1);
    await firmware.reported('1.1', 'default');
    assert.equal(firmware.state.of()?.update, undefined);
    // It runs: nothing is to be done.
    assert.equal(await updates.take(device, offerOf('1.1'), true), undefined);
    assert.ok(await updates.take(device, offerOf('1.2'), false));
  });

  it('what is offered again after its end is given to the flow again, as a new one', async () => {
    const take = () => updates.take(device, offerOf('1.1'), false);
    assert.ok(await take());
    assert.equal(await take(), undefined);
    await firmware.ended('default');
    assert.equal(firmware.isUnderWay('default'), false);
    assert.ok(await take());
    assert.equal(firmware.state.of()?.update?.attempts, 1);
    // It took effect, and somebody went back.
    await firmware.reported('1.1', 'default');
    await firmware.reported('1.0', 'default');
    assert.ok(await take());
    assert.equal(firmware.state.of()?.update?.attempts, 1);
  });

  it('another version that the flow reports while it is at work does not end the work', async () => {
    assert.ok(await updates.take(device, offerOf('1.1'), false));
    await firmware.reported('1.0', 'default');
    assert.equal(firmware.isUnderWay('default'), true);
    assert.equal(await updates.take(device, offerOf('1.1'), false), undefined);
  });

  it('two nodes of a device are each given an offer, once, and it counts as one try', async () => {
    const both = [updatesOf('node-1', 1), updatesOf('node-2', 1)];
    for (const own of both) assert.ok(await own.take(device, offerOf('1.1'), false));
    for (const own of both) assert.equal(await own.take(device, offerOf('1.1'), false), undefined);
    assert.equal(firmware.state.of()?.update?.attempts, 1);
    // A deploy makes the node anew; the flow is at work all the same.
    assert.equal(await updatesOf('node-1', 1).take(device, offerOf('1.1'), false), undefined);
    await assert.rejects(updatesOf('node-1', 1).take(device, offerOf('1.1'), true), {
      key: 'firmwareGivenUp',
    });
  });

  it('what another process finds: versions, attempts, what was under way; never an address', async () => {
    await firmware.reported('1.0', 'default');
    await updates.take(device, offerOf('1.1'), false);
    assert.equal(firmware.isUnderWay('default'), true);
    const folder = join(userDir, 'alink', 'firmware-state');
    const text = readFileSync(join(folder, readdirSync(folder)[0] ?? ''), 'utf8');
    assert.doesNotMatch(text, /secret|https/);
    const other = await reopened(text);
    assert.equal(other.reportedVersion('default'), '1.0');
    assert.equal(other.runningVersion('default'), undefined);
    assert.deepEqual(other.state.of()?.update, { version: '1.1', phase: 'applying', attempts: 1 });
    // It restarted: whatever the flow was at is over.
    assert.deepEqual([other.isAtWork(offerOf('1.1')), other.isUnderWay('default')], [false, false]);
  });

  it('a damaged memory counts for nothing', async () => {
    await firmware.reported('1.0', 'default');
    for (const text of [
      '',
      '{',
      '[]',
      '{"format":1,"modules":[1,{"module":1},{"module":"default","update":{"content":1}}]}',
    ]) {
      const other = await reopened(text);
      assert.equal(other.reportedVersion('default'), undefined);
      assert.equal(other.state.of()?.update, undefined);
    }
  });

  /** What a process knows that finds this text. */
  async function reopened(text: string): Promise<ThingFirmware> {
    const folder = mkdtempSync(join(userDir, 'other-'));
    const [name = ''] = readdirSync(join(userDir, 'alink', 'firmware-state'));
    mkdirSync(join(folder, 'alink', 'firmware-state'), { recursive: true });
    writeFileSync(join(folder, 'alink', 'firmware-state', name), text);
    return thingFirmware(folder, 'emulator', IDENTITY);
  }
});

describe('the pace of progress reports', () => {
  it('is each 5 %, or each 5 s when it is slow, never more than one a second', () => {
    const pace = new ProgressPace();
    const due = (percent: number, now: number) => pace.isDue(percent, now);
    assert.equal(due(1, 0), true);
    assert.equal(due(50, 999), false);
    assert.equal(due(50, 1000), true);
    assert.equal(due(52, 5999), false);
    assert.equal(due(52, 6000), true);
    assert.equal(due(52, 60_000), false);
    assert.equal(due(57, 60_000), true);
  });
});

/** Resolves when it is so, in a later turn. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}
