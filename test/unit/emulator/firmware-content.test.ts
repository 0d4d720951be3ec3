import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { bytesContent, digestOf, generatedContent, restoreContent } from '../../../emulator/files/content';
import { rangeOf, withoutSignatures } from '../../../emulator/files/file-server';

describe('content of firmware files', () => {
  it('is the same wherever it is read from', () => {
    const size = 300_001;
    const whole = generatedContent(size).read(0, size);
    assert.equal(whole.length, size);
    fc.assert(
      fc.property(fc.nat(size + 10), fc.nat(200_000), (offset, length) => {
        const part = generatedContent(size).read(offset, length);
        assert.ok(Buffer.from(part).equals(whole.subarray(offset, offset + length)));
      }),
      { numRuns: 50 },
    );
  });

  it('differs by its seed and by the place in it', () => {
    const read = (seed: number, offset: number) =>
      Buffer.from(generatedContent(10_000_000, seed).read(offset, 64));
    assert.notDeepEqual(read(1, 0), read(2, 0));
    const blocks = new Set(Array.from({ length: 100 }, (_, i) => read(1, i * 65_536).toString('hex')));
    assert.equal(blocks.size, 100);
  });

  it('has the digest of its bytes', async () => {
    const content = generatedContent(3_000_000);
    const bytes = content.read(0, content.size);
    const expected = (name: string) => createHash(name).update(bytes).digest('hex');
    assert.equal(await digestOf(content, 'MD5'), expected('md5'));
    assert.equal(await digestOf(content, 'SHA256'), expected('sha256'));
  });

  it('comes back from a snapshot when it is small or generated', () => {
    const small = bytesContent(Buffer.from('small'));
    assert.equal(Buffer.from(restoreContent(small.save())?.read(0, 9) ?? []).toString(), 'small');
    const large = generatedContent(2 ** 40, 5);
    assert.deepEqual(restoreContent(large.save())?.read(2 ** 39, 20), large.read(2 ** 39, 20));
    assert.equal(bytesContent(Buffer.alloc(1024 * 1024 + 1)).save(), undefined);
    for (const saved of [undefined, null, 1, {}, { path: '/nowhere/at/all' }, { size: 1 }]) {
      assert.equal(restoreContent(saved as never), undefined);
    }
  });
});

describe('range of a request', () => {
  it('lies within the file, or is all of it', () => {
    const header = fc.oneof(
      fc.string(),
      fc.tuple(fc.option(fc.nat()), fc.option(fc.nat())).map(([a, b]) => `bytes=${a ?? ''}-${b ?? ''}`),
    );
    fc.assert(
      fc.property(fc.option(header, { nil: undefined }), fc.integer({ min: 1, max: 1000 }), (text, size) => {
        const range = rangeOf(text, size);
        if (range === undefined) return;
        const { offset, end, partial } = range;
        assert.ok(offset >= 0 && offset < end && end <= size);
        if (!partial) assert.deepEqual([offset, end], [0, size]);
      }),
    );
  });
});

describe('messages as they are logged', () => {
  it('hold no signature of an address', () => {
    const url = 'https://x/y?Expires=1&OSSAccessKeyId=k&Signature=a%2Bb';
    const text = withoutSignatures(Buffer.from(JSON.stringify({ url, files: [{ fileUrl: `${url}&z=1` }] })));
    assert.ok(!text.includes('a%2Bb'));
    assert.equal(JSON.parse(text).files[0].fileUrl.endsWith('Signature=***&z=1'), true);
  });
});
