import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import type { Json, JsonObject } from '../../../../protocol';
import { AlinkError, type FirmwareOffer } from '../../../../sdk';
import { readOffer } from '../../../../sdk/ota/offer';
import { readPush } from '../../../../sdk/ota/push';
import { assertSaid } from '../../../support/said';

const MD5 = '93230c3bde425a9d7984a594ac55ea1e';
const SHA256 = '3fb0fe6a2a1c3b5ea1ea8f0e1d7a41c2a7a6f63dc1a4e3a2ff3e9f7d9d6d8f10';
const URL_OF_FILE = 'https://iotx-ota.oss-cn-shanghai.aliyuncs.com/ota/x.bin?Expires=1&Signature=a%2Bb';

const SINGLE: JsonObject = {
  size: 93796291,
  sign: MD5,
  version: '1.0.1.9',
  isDiff: 1,
  url: URL_OF_FILE,
  signMethod: 'Md5',
  md5: MD5,
  module: 'MCU',
  digestsign: 'A4WOP8Y==',
  extData: { key1: 'value1', _package_udi: '{"ota_notice":"升级底层摄像头驱动"}' },
};

const read = (data: Json) => readOffer(data, 'push', 5);

function refusal(data: Json): [unknown, unknown] {
  try {
    read(data);
  } catch (error) {
    assert.ok(error instanceof AlinkError && error.key === 'firmwareOffer', String(error));
    return [error.details.step, error.details.module];
  }
  throw new assert.AssertionError({ message: 'it was taken' });
}

const digest = (data: Json) => read(data)?.files[0]?.digest;

describe('offers of firmware', () => {
  it('are read in the single form', () => {
    const expected: FirmwareOffer = {
      version: '1.0.1.9',
      module: 'MCU',
      isDiff: true,
      files: [
        { name: 'MCU-1.0.1.9.bin', size: 93796291, digest: { method: 'md5', value: MD5 }, url: URL_OF_FILE },
      ],
      extData: { key1: 'value1', _package_udi: { ota_notice: '升级底层摄像头驱动' } },
      digestSign: 'A4WOP8Y==',
      source: 'push',
      receivedAt: 5,
    };
    assert.deepEqual(read(SINGLE), expected);
  });

  it('are read with several files, whose names differ on every disk', () => {
    const file = (fileName: string) => ({
      fileSize: 7,
      fileName,
      fileUrl: URL_OF_FILE,
      fileSign: SHA256.toUpperCase(),
    });
    const files = ['a.bin', 'A.BIN', 'a.bin', '../../etc/passwd', 'con.txt'].map(file);
    const offer = read({ version: '2', signMethod: 'SHA256', files });
    assert.deepEqual(
      offer?.files.map(({ name }) => name),
      ['a.bin', 'A-2.BIN', 'a-3.bin', '_.._etc_passwd', '_con.txt'],
    );
    assert.deepEqual(offer?.files[0]?.digest, { method: 'sha256', value: SHA256 });
    assert.equal(offer?.module, 'default');
    assert.equal(offer?.isDiff, false);
  });

  it('are read for MQTT in both forms', () => {
    const { url: _, ...rest } = SINGLE;
    const single = read({ ...rest, dProtocol: 'mqtt', streamId: 1397345, streamFileId: 1 });
    assert.deepEqual(single?.files[0]?.stream, { streamId: 1397345, fileId: 1 });
    assert.equal(single?.files[0]?.url, undefined);
    const files = [{ fileSize: '7', fileName: 'a', streamFileId: '2', fileMd5: MD5 }];
    const several = read({ version: '2', dProtocol: 'MQTT', streamId: 9, files });
    assert.deepEqual(several?.files[0]?.stream, { streamId: 9, fileId: 2 });
  });

  it('name their digest in several ways, never a weaker one than was meant', () => {
    const { md5: _, sign: __, signMethod: ___, ...bare } = SINGLE;
    const md5 = { method: 'md5', value: MD5 };
    const sha256 = { method: 'sha256', value: SHA256 };
    assert.deepEqual(digest({ ...bare, md5: MD5.toUpperCase() }), md5);
    assert.deepEqual(digest({ ...bare, signMethod: 'MD5', md5: MD5 }), md5);
    assert.deepEqual(digest({ ...bare, signMethod: 'SHA256', sign: SHA256, md5: MD5 }), sha256);
    assert.deepEqual(digest({ ...bare, signMethod: 'Sha256', sign: SHA256 }), sha256);
    assert.deepEqual(digest({ ...bare, signMethod: 'Sm3', md5: MD5 }), md5);
    assert.deepEqual(digest({ ...bare, sign: SHA256 }), sha256);
    assert.deepEqual(refusal({ ...bare, signMethod: 'SHA256', sign: 'x', md5: MD5 }), [-3, 'MCU']);
    assert.deepEqual(refusal({ ...bare, signMethod: 'Sm3', sign: SHA256 }), [-3, 'MCU']);
    assert.deepEqual(refusal(bare), [-3, 'MCU']);
  });

  it('are none when there is nothing in them', () => {
    for (const data of [{}, null, '']) assert.equal(read(data), undefined);
  });

  it('are refused with the step that fits', () => {
    const cases: Array<[Json, number, string]> = [
      ['text', -1, 'default'],
      [[], -1, 'default'],
      [{ ...SINGLE, module: 5 }, -1, 'default'],
      [{ ...SINGLE, module: 'a\u0000b' }, -1, 'default'],
      [{ ...SINGLE, version: '' }, -1, 'MCU'],
      [{ ...SINGLE, version: 1.1 }, -1, 'MCU'],
      [{ ...SINGLE, version: ' 1' }, -1, 'MCU'],
      [{ ...SINGLE, version: 'x'.repeat(65) }, -1, 'MCU'],
      [{ ...SINGLE, files: {} }, -1, 'MCU'],
      [{ ...SINGLE, files: Array(101).fill({}) }, -1, 'MCU'],
      [{ ...SINGLE, size: 0 }, -2, 'MCU'],
      [{ ...SINGLE, size: -5 }, -2, 'MCU'],
      [{ ...SINGLE, size: 1.5 }, -2, 'MCU'],
      [{ ...SINGLE, size: 2 ** 41 }, -2, 'MCU'],
      [{ ...SINGLE, url: 'file:///etc/passwd' }, -2, 'MCU'],
      [{ ...SINGLE, url: 'ftp://x/y' }, -2, 'MCU'],
      [{ ...SINGLE, url: 'https://user:pass@host/x' }, -2, 'MCU'],
      [{ ...SINGLE, url: 'https://host/x\r\nHost: other' }, -2, 'MCU'],
      [{ ...SINGLE, url: `https://host/${'x'.repeat(9000)}` }, -2, 'MCU'],
      [{ ...SINGLE, url: null, dProtocol: 'mqtt', streamId: 5 }, -2, 'MCU'],
      [{ ...SINGLE, files: ['x'] }, -2, 'MCU'],
    ];
    for (const [data, step, module] of cases) {
      assert.deepEqual(refusal(data), [step, module], JSON.stringify(data).slice(0, 200));
    }
  });

  it('say in both languages why they are refused', () => {
    for (const data of [
      'text',
      { ...SINGLE, module: 5 },
      { ...SINGLE, version: '' },
      { ...SINGLE, files: {} },
      { ...SINGLE, files: Array(101).fill({}) },
      { ...SINGLE, size: 0 },
      { ...SINGLE, size: undefined },
      { ...SINGLE, url: 'ftp://x/y' },
      { ...SINGLE, url: null, dProtocol: 'mqtt', streamId: 5 },
      { ...SINGLE, sign: 'x', md5: 'y' },
    ]) {
      assert.throws(
        () => read(data as Json),
        (error: AlinkError) => {
          assertSaid(error);
          return true;
        },
      );
    }
  });

  it('lose extra data that cannot be used, and come all the same', () => {
    for (const extData of [5, [], 'text', { a: 'x'.repeat(70_000) }]) {
      assert.equal(read({ ...SINGLE, extData })?.extData, undefined);
    }
    assert.deepEqual(read({ ...SINGLE, extData: '{"a":1}' })?.extData, { a: 1 });
    assert.deepEqual(read({ ...SINGLE, extData: { _package_udi: 'text' } })?.extData, {
      _package_udi: 'text',
    });
  });

  it('are read or refused, whatever comes', () => {
    const anything = fc.oneof(
      fc.jsonValue(),
      fc.record(
        Object.fromEntries(
          [...Object.keys(SINGLE), 'files', 'dProtocol', 'streamId', 'streamFileId', '__proto__'].map(
            (key) => [key, fc.oneof(fc.constant(SINGLE[key]), fc.jsonValue())],
          ),
        ),
      ),
    );
    fc.assert(
      fc.property(anything, (data) => {
        try {
          const offer = read(JSON.parse(JSON.stringify(data)) as Json);
          if (offer === undefined) return;
          assert.ok(offer.files.length > 0);
          for (const { name, size, url, stream, digest: found } of offer.files) {
            assert.ok(/^[^/\\:]+$/.test(name) && !name.startsWith('.') && size > 0);
            assert.ok((url === undefined) !== (stream === undefined));
            assert.match(found.value, /^[0-9a-f]{32}([0-9a-f]{32})?$/);
          }
        } catch (error) {
          assert.ok(
            error instanceof AlinkError && [-1, -2, -3].includes(Number(error.details.step)),
            String(error),
          );
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('messages with offers', () => {
  const of = (body: unknown) => readPush(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)));

  it('are taken with a code of either type, or none', () => {
    for (const code of ['1000', 1000, 200, '200', undefined]) {
      assert.deepEqual(of({ code, data: SINGLE, id: 1507707025, message: 'success' }), {
        is: 'offer',
        id: '1507707025',
        data: SINGLE,
      });
    }
  });

  it('are refusals with another code, and nothing when they are our own or cannot be read', () => {
    const refused = of({ code: 500, id: '7', message: 'none upgrade operation of the device.' });
    assert.ok(refused.is === 'refusal' && refused.code === 500 && refused.id === '7');
    for (const other of [{ id: 1, params: { version: '1' } }, '', '[]', 'x', '{"code":{}}', '"a"']) {
      assert.equal(of(other).is, 'other', JSON.stringify(other));
    }
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => void of(text)));
  });
});
