import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { entryFields, localeKey, OFFERED, offered } from '../../../nodes/alink-request/options';
import {
  type FormEntries,
  type ParameterSource,
  requestParams,
} from '../../../nodes/alink-request/parameters';
import { AlinkError, type ErrorKey } from '../../../sdk';

const NOW = new Date('2026-01-02T03:04:05.006Z');

function isAlinkError(key: ErrorKey): (error: unknown) => boolean {
  return (error) => error instanceof AlinkError && error.key === key;
}

function params(name: string, form: FormEntries, payload: unknown, source: ParameterSource): unknown {
  const operation = offered(name);
  assert.ok(operation);
  return requestParams(operation, form, payload, source, NOW);
}

describe('parameters of a request', () => {
  const job = { taskId: 'a', status: 'IN_PROGRESS', progress: '40' };

  it('payload wins per parameter, and only when asked', () => {
    const payload = { status: 'FAILED', extra: 1 };
    assert.deepEqual(params('thing.job.update', [job], payload, 'both'), {
      taskId: 'a',
      status: 'FAILED',
      progress: 40,
      extra: 1,
    });
    assert.deepEqual(params('thing.job.update', [job], payload, 'form'), { ...job, progress: 40 });
    assert.throws(() => params('thing.job.update', [job], payload, 'payload'), isAlinkError('invalidInput'));
  });

  it('in lists the first entry of the form fills what entries of the payload leave out', () => {
    const form = [{ logLevel: 'WARN', module: 'pump' }];
    assert.deepEqual(
      params('thing.log.post', form, [{ logContent: 'a' }, { logContent: 'b', module: 'fan' }], 'both'),
      [
        { logLevel: 'WARN', module: 'pump', logContent: 'a', utcTime: '2026-01-02T03:04:05.006+0000' },
        { logLevel: 'WARN', module: 'fan', logContent: 'b', utcTime: '2026-01-02T03:04:05.006+0000' },
      ],
    );
  });

  it('lists of texts and maps come from entries that have a name', () => {
    const form = [{ identifier: 'a', version: '2' }, { identifier: 'b' }];
    assert.deepEqual(params('thing.property.desired.delete', form, 'ignored', 'form'), {
      a: { version: 2 },
      b: {},
    });
    assert.deepEqual(params('thing.property.desired.delete', form, { c: {} }, 'both'), { c: { version: 2 } });
    assert.deepEqual(params('thing.deviceinfo.get', form, undefined, 'both'), ['a', 'b']);
    assert.deepEqual(params('thing.deviceinfo.get', form, 'c', 'both'), ['c']);
  });

  it('keys that could reach a prototype stay plain keys', () => {
    const map = params(
      'thing.property.desired.delete',
      [],
      JSON.parse('{"__proto__":{"version":1}}'),
      'payload',
    );
    assert.equal(Reflect.get({}, 'version'), undefined);
    assert.equal(JSON.stringify(map), '{"__proto__":{"version":1}}');
  });

  for (const [name, entry, parameter] of [
    ['thing.deviceinfo.update', { attrKey: 'a' }, 'attrValue'],
    ['thing.job.update', { ...job, status: 'DONE' }, 'status'],
    ['thing.job.update', { ...job, progress: 'much' }, 'progress'],
    ['thing.job.update', { ...job, statusDetails: [] }, 'statusDetails'],
  ] as const) {
    it(`${name}: a wrong ${parameter} is named`, () => {
      assert.throws(
        () => params(name, [entry], undefined, 'form'),
        (error) => isAlinkError('invalidInput')(error) && String(error).includes(parameter),
      );
    });
  }
});

describe('words of requests', () => {
  for (const language of ['en-US', 'zh-CN']) {
    it(`${language}: every operation, group and parameter has a label`, () => {
      const file = join(__dirname, '..', '..', '..', 'locales', language, 'alink-request.json');
      const words: Record<string, Record<string, string>> = JSON.parse(readFileSync(file, 'utf8'));
      assert.ok(OFFERED.length > 10);
      for (const operation of OFFERED) {
        const key = localeKey(operation.name);
        assert.ok(words.operation?.[key], key);
        assert.ok(words.operationHint?.[key], key);
        assert.ok(words.purpose?.[operation.purpose], operation.purpose);
        for (const { name } of entryFields(operation)) assert.ok(words.parameter?.[name], name);
      }
    });
  }
});
