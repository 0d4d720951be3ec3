import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'mocha';
import {
  type AlinkError,
  closeAllDevices,
  type Device,
  type DeviceOptions,
  fileConfigurationStore,
  type ModelListening,
  openDevice,
  type ReceivedModelConfiguration,
} from '../../../../sdk';
import { ConfigurationPlatform } from '../../../support/configuration-platform';
import { Inbox } from '../../../support/inbox';
import { isError, state } from '../../../support/sdk-device';

const IDENTITY = { productKey: 'a1Test', deviceName: 'lamp-1' };

describe('model configuration of a gateway', () => {
  let platform: ConfigurationPlatform;
  let folder: string;

  beforeEach(async () => {
    platform = await ConfigurationPlatform.start();
    folder = mkdtempSync(join(tmpdir(), 'alink-model-'));
  });

  afterEach(async () => {
    await closeAllDevices();
    await platform.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  function open(more: Partial<DeviceOptions> = {}): Device {
    return openDevice({
      identity: IDENTITY,
      platform: {
        kind: 'emulator',
        host: '127.0.0.1',
        ports: { tcp: platform.broker.port },
        httpUrl: '',
      },
      transport: 'tcp',
      authentication: { kind: 'deviceSecret', deviceSecret: 'secret' },
      configurationStore: fileConfigurationStore(folder),
      gateway: {},
      timing: {
        backoff: { first: 10, longest: 20 },
        downloadBackoff: { first: 10, longest: 20 },
        endMs: 50,
      },
      ...more,
    });
  }

  async function listen(listening: ModelListening = {}, device = open()) {
    const got = new Inbox<ReceivedModelConfiguration>();
    const problems = new Inbox<AlinkError>();
    device.configuration.onModelPush(got.put, { onProblem: problems.put, ...listening });
    device.connect();
    await state(device, 'online');
    return { got, problems };
  }

  function push(document: unknown, more: object = {}): void {
    const { sign, url } = platform.describe(document);
    platform.pushModel({ digest: sign, digestMethod: 'sha256', url, ...more });
  }

  it('is loaded, checked and handed on with the secret of the gateway, and nothing is answered', async () => {
    const { got } = await listen();
    push({ modelList: [] });
    const configuration = await got.next();
    assert.deepEqual(configuration.document, { modelList: [] });
    assert.equal(configuration.source, 'push');
    assert.equal(await configuration.secret(), 'secret');
    const answers = platform.broker.last.received.filter(({ cmd }) => cmd === 'publish');
    assert.deepEqual(answers, []);
  });

  it('is kept for the next start, the last one that was good', async () => {
    const { got, problems } = await listen();
    push({ modelList: [] });
    await got.next();
    push({ modelList: [1] }, { digest: '0'.repeat(64) });
    assert.equal((await problems.next()).key, 'configurationMismatch');
    for (const none of [[], { hello: 1 }]) {
      push(none);
      assert.equal((await problems.next()).details.rule, 'modelDocument');
    }
    assert.equal(got.all.length, 1);
    await closeAllDevices();
    const later = await listen({ kept: true });
    const kept = await later.got.next();
    assert.deepEqual([kept.source, kept.document], ['kept', { modelList: [] }]);
    await closeAllDevices();
    const without = await listen();
    push({ modelList: [2] });
    assert.equal((await without.got.next()).source, 'push');
  });

  it('whose file is damaged is told and not given; the next one is', async () => {
    const { got } = await listen();
    push({ modelList: [] });
    await got.next();
    await closeAllDevices();
    const [name = ''] = readdirSync(join(folder, 'model'));
    writeFileSync(join(folder, 'model', name), '{"digest":');
    const device = open();
    const later = await listen({ kept: true }, device);
    assert.equal((await later.problems.next()).key, 'configurationStorage');
    await assert.rejects(device.configuration.model(), isError('configurationStorage'));
    push({ modelList: [1] });
    assert.equal((await later.got.next()).source, 'push');
    assert.deepEqual((await device.configuration.model())?.document, { modelList: [1] });
  });

  it('is loaded again after a failure of the server, and kept in memory when the disk fails', async () => {
    rmSync(folder, { recursive: true });
    writeFileSync(folder, 'in the way');
    const device = open();
    const { got, problems } = await listen({}, device);
    platform.script.push((_, response) => response.writeHead(502).end());
    push({ modelList: [1] });
    assert.deepEqual((await got.next()).document, { modelList: [1] });
    assert.equal((await problems.next()).key, 'configurationStorage');
    assert.deepEqual((await device.configuration.model())?.document, { modelList: [1] });
    assert.deepEqual(problems.all.length, 1);
  });

  it('may be larger than 64 KB when it is allowed', async () => {
    const { got, problems } = await listen({ mostBytes: 200_000 });
    push({ modelList: ['x'.repeat(100_000)] });
    assert.ok((await got.next()).size > 100_000);
    push({ modelList: ['x'.repeat(200_000)] });
    assert.equal((await problems.next()).key, 'configurationTooLarge');
  });

  it('that makes no sense is told, and nothing else happens', async () => {
    const { got, problems } = await listen();
    for (const [data, key] of [
      [{}, 'configurationOffer'],
      [{ digest: 'x', url: 'http://127.0.0.1/' }, 'configurationOffer'],
      [[], 'configurationOffer'],
    ] as const) {
      platform.pushModel(data);
      assert.equal((await problems.next()).key, key);
    }
    assert.equal(got.all.length, 0);
  });

  it('takes a secret that is known only later', async () => {
    const authentication = { kind: 'deviceSecret', deviceSecret: async () => 'later' } as const;
    const { got } = await listen({}, open({ authentication }));
    push({ modelList: [] });
    assert.equal(await (await got.next()).secret(), 'later');
  });
});
