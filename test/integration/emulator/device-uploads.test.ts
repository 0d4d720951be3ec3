import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { type Emulator, startEmulator } from '../../../emulator';
import type { FaultAction } from '../../../emulator/faults';
import { closeAllDevices, type Device, openDevice, type UploadFile } from '../../../sdk';
import { LAMP_1, PRODUCT } from '../../support/emulator';
import { rejection, state } from '../../support/sdk-device';

const INIT = 'thing.file.upload.mqtt.init';
const SEND = 'thing.file.upload.mqtt.send';

describe('SDK and emulator: uploads', () => {
  let emulator: Emulator;
  let device: Device;
  let now: number;

  beforeEach(async () => {
    now = Date.UTC(2026, 0, 1);
    emulator = await startEmulator({ clock: () => now, config: { products: [PRODUCT] } });
    device = openDevice({
      identity: LAMP_1,
      platform: { kind: 'custom', host: '127.0.0.1' },
      transport: 'tcp',
      port: Number(new URL(emulator.addresses.mqtt ?? '').port),
      authentication: { kind: 'deviceSecret', deviceSecret: 'secret-of-lamp-1' },
      requestTimeoutMs: 150,
      timing: { backoff: { first: 10, longest: 20 } },
    });
    device.connect();
  });

  afterEach(async () => {
    await closeAllDevices();
    await emulator.close();
  });

  const bytes = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8)) & 0xff);
  const file = (length: number, more: Partial<UploadFile> = {}): UploadFile => ({
    name: 'a.bin',
    content: bytes(length),
    ...more,
  });
  const fault = (operation: string, action: FaultAction, times = 1) =>
    emulator.faults.add({ ...action, match: { operation }, times });
  const stored = () => {
    const content = emulator.devices.get(LAMP_1)?.file('a.bin');
    return content && Uint8Array.from(content);
  };
  const upload = (length = 2600, onProgress?: (sent: number, total: number) => void) =>
    device.uploadFile(file(length), { blockBytes: 512, ...(onProgress && { onProgress }) });

  it('arrive whole, of every size, with their progress', async () => {
    for (const [length, steps] of [
      [0, [0]],
      [1, [0, 1]],
      [512, [0, 512]],
      [1300, [0, 512, 1024, 1300]],
    ] as const) {
      const progress: number[] = [];
      const result = await device.uploadFile(file(length), {
        blockBytes: 512,
        onProgress: (sent, total) => {
          progress.push(sent);
          assert.equal(total, length);
        },
      });
      assert.deepEqual([result.fileName, result.bytes, result.reply.code], ['a.bin', length, 200]);
      assert.deepEqual(stored(), bytes(length));
      assert.deepEqual(progress, steps);
    }
  });

  it('of 16 MB go through with standard blocks', async () => {
    const content = new Uint8Array(16 * 1024 * 1024).fill(1);
    await device.uploadFile({ name: 'a.bin', content });
    assert.equal(stored()?.length, content.length);
  });

  it('run side by side, each with its answers', async () => {
    const names = ['a.bin', 'b.bin', 'c.bin'];
    await Promise.all(
      names.map((name, i) => device.uploadFile(file(1000 + i, { name }), { blockBytes: 256 })),
    );
    const sizes = emulator.devices.get(LAMP_1)?.files.map(({ name, sizeBytes }) => [name, sizeBytes]);
    assert.deepEqual(
      sizes?.sort(),
      names.map((name, i) => [name, 1000 + i]),
    );
  });

  it("go on at the platform's offset after a lost answer", async () => {
    await upload(512);
    fault(INIT, { action: 'loseReply' });
    await state(device, 'online');
    const progress: number[] = [];
    await device.uploadFile(file(1300), {
      blockBytes: 512,
      onProgress: (sent) => {
        progress.push(sent);
        if (sent === 512) fault(SEND, { action: 'loseReply' });
      },
    });
    assert.deepEqual(progress, [0, 512, 1024, 1300]);
    assert.deepEqual(stored(), bytes(1300));
  });

  it('are finished when the answer to the last block was lost', async () => {
    const result = await upload(1024, (sent) => sent === 512 && fault(SEND, { action: 'loseReply' }));
    assert.equal(result.reply.code, 78124);
    assert.deepEqual(stored(), bytes(1024));
  });

  it('go on after an answer that cannot be read, a block that never came, and a reconnect in the middle', async () => {
    const actions: FaultAction[] = [{ action: 'malformReply' }, { action: 'drop' }, { action: 'kick' }];
    const progress: number[] = [];
    await upload(2600, (sent) => {
      progress.push(sent);
      const action = sent > 0 ? actions.shift() : undefined;
      if (action) fault(SEND, action);
    });
    assert.deepEqual(progress, [0, 512, 1024, 1536, 2048, 2560, 2600]);
    assert.deepEqual(stored(), bytes(2600));
  });

  it('send a damaged block again, and slow down when the platform asks for it', async () => {
    fault(SEND, { action: 'refuse', code: 78121 }, 2);
    fault(SEND, { action: 'refuse', code: 78127 }, 1);
    fault(INIT, { action: 'refuse', code: 429 }, 3);
    await upload();
    assert.deepEqual(stored(), bytes(2600));
  });

  it('give up a block after three further tries', async () => {
    fault(SEND, { action: 'refuse', code: 78121 }, 4);
    const error = await rejection(upload());
    assert.deepEqual([error.key, error.code], ['platformRefused', 78121]);
    fault(INIT, { action: 'drop' }, 4);
    assert.equal((await rejection(upload())).key, 'timeout');
    await upload();
  });

  it('start again once when the platform does not know them any more', async () => {
    const progress: number[] = [];
    await upload(1300, (sent) => {
      progress.push(sent);
      if (sent === 1024 && progress.length === 3) now += 25 * 3_600_000;
    });
    assert.deepEqual(progress, [0, 512, 1024, 0, 512, 1024, 1300]);
    assert.deepEqual(stored(), bytes(1300));
    fault(SEND, { action: 'refuse', code: 78122 }, 2);
    assert.equal((await rejection(upload())).code, 78122);
  });

  it('fail at once with the code that no further try repairs', async () => {
    const before = stored();
    for (const code of [78117, 78118, 78120, 78124, 78125, 460]) {
      fault(SEND, { action: 'refuse', code });
      const error = await rejection(upload());
      assert.deepEqual([error.key, error.code, error.details.operation], ['platformRefused', code, SEND]);
    }
    await upload();
    const rejected = await rejection(device.uploadFile(file(9, { conflictStrategy: 'reject' })));
    assert.equal(rejected.code, 78123);
    assert.equal(before, undefined);
  });

  it('go on with what an earlier one left behind when they append', async () => {
    const failed = rejection(
      device.uploadFile(file(1300), {
        blockBytes: 512,
        onProgress: (sent) => sent === 512 && fault(SEND, { action: 'refuse', code: 460 }),
      }),
    );
    assert.equal((await failed).code, 460);
    const progress: number[] = [];
    await device.uploadFile(file(1300, { conflictStrategy: 'append' }), {
      blockBytes: 512,
      onProgress: (sent) => progress.push(sent),
    });
    assert.deepEqual(progress, [512, 1024, 1300]);
    assert.deepEqual(stored(), bytes(1300));
  });

  it('are cancelled on the platform when nobody wants them any more', async () => {
    const given = new AbortController();
    const error = await rejection(
      device.uploadFile(file(1300), {
        blockBytes: 512,
        onProgress: (sent) => sent === 512 && given.abort(),
        signal: given.signal,
      }),
    );
    assert.equal(error.key, 'aborted');
    // Nothing is left that another one could go on with.
    const progress: number[] = [];
    await device.uploadFile(file(1300, { conflictStrategy: 'append' }), {
      onProgress: (sent) => progress.push(sent),
    });
    assert.deepEqual(progress, [0, 1300]);
    assert.equal(
      (await rejection(device.uploadFile(file(1), { signal: AbortSignal.abort() }))).key,
      'aborted',
    );
  });

  it('are checked before anything is sent', async () => {
    const cases: Array<[string, Promise<unknown>]> = [
      ['name', device.uploadFile(file(1, { name: '_a' }))],
      ['name', device.uploadFile(file(1, { name: 'a/b' }))],
      ['name', device.uploadFile(file(1, { name: 'é.txt' }))],
      ['name', device.uploadFile(file(1, { name: 'a'.repeat(101) }))],
      ['name', device.uploadFile(file(1, { name: 1 as unknown as string }))],
      ['content', device.uploadFile(file(1, { content: new Uint8Array(16 * 1024 * 1024 + 1) }))],
      ['content', device.uploadFile(file(1, { content: 'text' as unknown as Uint8Array }))],
      ['conflictStrategy', device.uploadFile(file(1, { conflictStrategy: 'x' as 'append' }))],
      ['extraParams', device.uploadFile(file(1, { extraParams: [] as unknown as object as never }))],
      ...[255, 131_073, 256.5, NaN].map((blockBytes): [string, Promise<unknown>] => [
        'blockBytes',
        device.uploadFile(file(1), { blockBytes }),
      ]),
    ];
    for (const [field, promise] of cases) {
      const error = await rejection(promise);
      assert.deepEqual([error.key, error.details.field], ['invalidInput', field]);
    }
    await device.uploadFile(file(9, { name: 'a'.repeat(100), extraParams: { fileTag: 't' } }));
  });

  it('survive a listener of their progress that throws', async () => {
    await upload(600, () => {
      throw new Error('no');
    });
    assert.deepEqual(stored(), bytes(600));
  });
});
