import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import {
  checkParams,
  encodeLogEntries,
  formatLogTime,
  LOG_LEVELS,
  type LogEntry,
  operation,
} from '../../../protocol';

const NOW = Date.UTC(2026, 0, 31, 8, 5, 9, 7);
const POST = operation('thing.log.post');
const entry = fc.record(
  {
    time: fc.integer({ min: 0, max: 4e12 }),
    level: fc.constantFrom(...LOG_LEVELS),
    module: fc.string({ maxLength: 20 }),
    content: fc.oneof(
      fc.string({ unit: 'binary', maxLength: 50 }),
      fc.string({ unit: 'grapheme', minLength: 1500, maxLength: 3000 }),
    ),
    code: fc.string({ maxLength: 5 }),
    traceContext: fc.string({ maxLength: 5 }),
  },
  { requiredKeys: ['level', 'module', 'content'] },
) as fc.Arbitrary<LogEntry>;

describe('log entries', () => {
  it('have the time as the platform writes it', () => {
    assert.equal(formatLogTime(NOW), '2026-01-31T08:05:09.007+0000');
    const line: LogEntry = { level: 'WARN', module: 'pump', content: 'dry' };
    assert.deepEqual(
      encodeLogEntries([line, { ...line, time: 0, code: '7', traceContext: 't' }], { now: NOW }),
      {
        requests: [
          [
            { utcTime: '2026-01-31T08:05:09.007+0000', logLevel: 'WARN', module: 'pump', logContent: 'dry' },
            {
              utcTime: '1970-01-01T00:00:00.000+0000',
              logLevel: 'WARN',
              module: 'pump',
              code: '7',
              traceContext: 't',
              logContent: 'dry',
            },
          ],
        ],
        problems: [],
      },
    );
  });

  it('are split over requests that the platform takes, all of them and in order', () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 120 }), (entries) => {
        const { requests, problems } = encodeLogEntries(entries, { now: NOW });
        assert.deepEqual(problems, []);
        for (const params of requests) {
          assert.deepEqual(checkParams(POST, params), []);
          assert.ok(params.length > 0 && Buffer.byteLength(JSON.stringify(params)) < 256 * 1024);
        }
        const written = requests.flat();
        assert.deepEqual(
          written.map(({ module }) => module),
          entries.map(({ module }) => module),
        );
        for (const [i, { logContent }] of written.entries()) {
          const content = entries[i]?.content ?? '';
          assert.ok(content.startsWith(String(logContent)));
          // Nothing is cut that would have fitted: a character has four bytes at most.
          if (logContent !== content) assert.ok(Buffer.byteLength(String(logContent)) > 4096 - 4);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('fill a request with 40, fewer when they are large', () => {
    const line: LogEntry = { level: 'INFO', module: 'm', content: 'x' };
    const lengths = (content: string, count: number) =>
      encodeLogEntries(Array(count).fill({ ...line, content }), { now: NOW }).requests.map(
        ({ length }) => length,
      );
    assert.deepEqual(lengths('x', 81), [40, 40, 1]);
    // Six characters each as JSON: 24.6 KB an entry.
    assert.deepEqual(lengths('\u0001'.repeat(4096), 12), [10, 2]);
    assert.deepEqual(encodeLogEntries([], { now: NOW }), { requests: [], problems: [] });
  });

  it('are cut at a whole character, or refused by choice', () => {
    const long: LogEntry = { level: 'INFO', module: 'm', content: `${'x'.repeat(4094)}😀tail` };
    const [[written] = []] = encodeLogEntries([long], { now: NOW }).requests;
    assert.equal(written?.logContent, 'x'.repeat(4094));
    const refused = encodeLogEntries([long, { ...long, content: 'y' }], { now: NOW, tooLong: 'refuse' });
    assert.deepEqual(refused.problems, [
      { path: 'entries[0].content', rule: 'tooManyBytes', code: 460, details: { value: 4102, limit: 4096 } },
    ]);
    assert.deepEqual(
      refused.requests.map((params) => params.map(({ logContent }) => logContent)),
      [['y']],
    );
  });

  it('that cannot be are named', () => {
    const good: LogEntry = { level: 'INFO', module: 'm', content: 'x' };
    const wrong: Array<[object, string, string]> = [
      [{ level: 'LOUD' }, 'level', 'notEnum'],
      [{ module: undefined }, 'module', 'missing'],
      [{ content: 1 }, 'content', 'notText'],
      [{ code: 1 }, 'code', 'notText'],
      [{ time: Number.NaN }, 'time', 'badTime'],
      [{ time: 1e15 }, 'time', 'badTime'],
      [{ time: -1e15 }, 'time', 'badTime'],
    ];
    for (const [fields, name, rule] of wrong) {
      const { requests, problems } = encodeLogEntries([{ ...good, ...fields } as LogEntry], { now: NOW });
      assert.deepEqual(requests, []);
      assert.deepEqual(
        problems.map(({ path, rule: broken }) => [path, broken]),
        [[`entries[0].${name}`, rule]],
      );
    }
  });
});
