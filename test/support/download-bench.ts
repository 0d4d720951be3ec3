import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AlinkError, DownloadedFirmware, DownloadOptions, FirmwareOffer } from '../../sdk';
import { Downloads } from '../../sdk/ota/download/downloads';
import type { DownloadDoor } from '../../sdk/ota/download/firmware-download';
import type { TestCertificate } from './certificates';
import { FirmwareServer, madeUpContent } from './firmware-server';
import { rejection } from './sdk-device';

/** Downloads of a thing without a connection, from a server that does what a test tells it. */
export class DownloadBench {
  readonly folder = mkdtempSync(join(tmpdir(), 'alink-ota-'));
  /** What was logged, as JSON. */
  readonly logged: string[] = [];

  private constructor(
    readonly server: FirmwareServer,
    private readonly tls: TestCertificate,
  ) {}

  static async start(size: number, tls: TestCertificate): Promise<DownloadBench> {
    return new DownloadBench(await FirmwareServer.start(madeUpContent(size), tls), tls);
  }

  downloads(more: Partial<DownloadDoor> = {}, stallMs = 2000): Downloads {
    return new Downloads({
      identity: { productKey: 'a1Test', deviceName: 'lamp-1' },
      ca: this.tls.cert,
      ask: async () => undefined,
      running: () => undefined,
      request: async () => assert.fail('nothing is asked over MQTT'),
      log: (line) => this.logged.push(JSON.stringify(line)),
      ...more,
      timing: {
        stallMs,
        handshakeMs: 2000,
        downloadBackoff: { first: 1, longest: 4 },
        blockMs: 100,
        blockGapMs: 0,
        ...more.timing,
      },
    });
  }

  run(
    offer: FirmwareOffer = this.server.offer(),
    options: Partial<DownloadOptions> = {},
    downloads = this.downloads(),
  ): Promise<DownloadedFirmware> {
    return downloads.run(offer, { folder: this.folder, keepFreeBytes: 0, ...options });
  }

  /** The error of a download; no address in it nor in the log. */
  async failing(...given: Parameters<DownloadBench['run']>): Promise<AlinkError> {
    const error = await rejection(this.run(...given));
    assert.doesNotMatch(`${error.message}${JSON.stringify(error.details)}`, /Signature|SECRET/);
    assert.doesNotMatch(this.logged.join(), /Signature|SECRET/);
    return error;
  }

  /** First bytes of what was asked for. */
  starts(): number[] {
    return this.server.asked.map(({ from }) => from);
  }

  /** Every file under the folder. */
  everything(): string[] {
    return readdirSync(this.folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name));
  }

  async stop(): Promise<void> {
    await this.server.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
