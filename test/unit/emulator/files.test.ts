import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { DeviceFiles, FileBudget, UploadError } from '../../../emulator/registry/files';
import { crc64 } from '../../../protocol';

const settings = {
  fileName: 'a.bin',
  fileSize: -1,
  conflictStrategy: 'overwrite' as const,
  crc64: undefined,
  initUid: undefined,
};

describe('uploads of a device', () => {
  it('end as the file that was cut into blocks, whatever the cuts and retries', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 3000 }),
        fc.array(fc.record({ size: fc.integer({ min: 256, max: 900 }), twice: fc.boolean() }), {
          minLength: 1,
        }),
        (content, cuts) => {
          const files = new DeviceFiles(new FileBudget(1_000_000));
          const { uploadId } = files.start(
            { ...settings, fileSize: content.length, crc64: crc64(content) },
            0,
          );
          for (let i = 0, offset = 0; offset < content.length; i++) {
            const { size, twice } = cuts[i % cuts.length] ?? { size: 256, twice: false };
            const data = content.subarray(offset, offset + size);
            const block = { offset, data, isLast: false, crcFits: true };
            files.add(uploadId, block, 0);
            offset += data.length;
            if (!twice || offset === content.length) continue;
            assert.throws(
              () => files.add(uploadId, block, 0),
              (thrown) => thrown instanceof UploadError && thrown.code === 78119 && thrown.offset === offset,
            );
          }
          assert.deepEqual(Uint8Array.from(files.find('a.bin')?.content ?? []), content);
        },
      ),
    );
  });

  it('never take more memory than there is, and give back all of it', () => {
    const step = fc.record({
      what: fc.constantFrom('start', 'add', 'last', 'cancel', 'remove', 'day'),
      name: fc.constantFrom('a', 'b', 'c'),
      size: fc.integer({ min: 0, max: 3000 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const budget = new FileBudget(10_000);
        const files = new DeviceFiles(budget);
        const open = new Map<string, string>();
        let now = 0;
        for (const { what, name, size } of steps) {
          const uploadId = open.get(name) ?? 'none';
          try {
            if (what === 'start') open.set(name, files.start({ ...settings, fileName: name }, now).uploadId);
            if (what === 'cancel') files.cancel(uploadId, now);
            if (what === 'remove') files.remove(files.find(name)?.fileId ?? '');
            if (what === 'day') now += 24 * 3_600_000;
            if (what !== 'add' && what !== 'last') continue;
            const isLast = what === 'last';
            for (let offset = 0; ; ) {
              const data = new Uint8Array(size);
              try {
                files.add(uploadId, { offset, data, isLast, crcFits: true }, now);
                break;
              } catch (thrown) {
                if (!(thrown instanceof UploadError) || thrown.code !== 78119) throw thrown;
                offset = thrown.offset ?? 0;
              }
            }
          } catch (thrown) {
            assert.ok(thrown instanceof UploadError, String(thrown));
          }
        }
        files.clear();
        assert.ok(budget.claim(10_000), 'something was not given back');
        assert.equal(budget.claim(1), false);
      }),
    );
  });
});
