import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { type AlinkReply, crc64, type Json } from '../../../protocol';
import { AlinkError, type UploadFile, type UploadOptions } from '../../../sdk';
import { type UploadDoor, uploadFile } from '../../../sdk/operations/upload';
import { rejection } from '../../support/sdk-device';

interface Step {
  step: string;
  params: { [name: string]: Json };
  payload: Uint8Array | undefined;
}

type Answerer = (step: Step, count: number) => AlinkReply | AlinkError;

const ok = (data: Json): AlinkReply => ({ id: '1', code: 200, data });
const refused = (code: number, platformData: Json = {}) =>
  new AlinkError('platformRefused', 'no', {
    code,
    platformData,
    retry: [78119, 78121].includes(code) ? 'slow' : 'no',
  });
const timeout = () => new AlinkError('timeout', 'late', { retry: 'slow' });

/** Uploads against answers of the test. @returns the steps that were sent, and the progress */
function run(answer: Answerer, size: number, options: UploadOptions = {}, more: Partial<UploadFile> = {}) {
  const steps: Step[] = [];
  const progress: number[] = [];
  const door: UploadDoor = {
    pauseMs: 0,
    submit: async ({ operation, params, payload }) => {
      const step = { step: operation.split('.').at(-1) ?? '', params: JSON.parse(params), payload };
      steps.push(step);
      const result = answer(step, steps.length);
      if (result instanceof AlinkError) throw result;
      return result;
    },
  };
  const file = { name: 'a', content: new Uint8Array(size).fill(7), ...more };
  const result = uploadFile(door, file, {
    blockBytes: 256,
    onProgress: (sent) => progress.push(sent),
    ...options,
  });
  return { steps, progress, result };
}

const started = ok({ uploadId: 'u', offset: 0 });
const offsets = (steps: Step[]) =>
  steps.filter(({ step }) => step === 'send').map(({ params }) => params.offset);

describe('upload', () => {
  it('starts with what the platform checks the file by, and numbers its blocks', async () => {
    const { steps, result } = run(
      ({ step }) => (step === 'init' ? started : ok({})),
      300,
      {},
      { extraParams: { a: 1 } },
    );
    assert.deepEqual(await result, { uploadId: 'u', fileName: 'a', bytes: 300, reply: ok({}) });
    const [init, first, last] = steps;
    const { initUid, ...params } = init?.params ?? {};
    assert.match(String(initUid), /^[0-9a-f]{24}$/);
    assert.deepEqual(params, {
      fileName: 'a',
      fileSize: 300,
      conflictStrategy: 'overwrite',
      ficMode: 'crc64',
      ficValue: crc64(new Uint8Array(300).fill(7)),
      extraParams: { a: 1 },
    });
    assert.deepEqual(first?.params, { uploadId: 'u', offset: 0, bSize: 256, isComplete: false });
    assert.deepEqual(last?.params, { uploadId: 'u', offset: 256, bSize: 44, isComplete: true });
    assert.equal(last?.payload?.length, 44);
  });

  it('tries the same start again, so that the platform finds it', async () => {
    const { steps, result } = run(
      ({ step }, count) => (step === 'init' ? (count < 4 ? timeout() : started) : ok({})),
      1,
    );
    await result;
    const uids = steps.filter(({ step }) => step === 'init').map(({ params }) => params.initUid);
    assert.equal(uids.length, 4);
    assert.equal(new Set(uids).size, 1);
  });

  it('does not take a start that it cannot use', async () => {
    for (const data of [
      null,
      [],
      {},
      { uploadId: '' },
      { uploadId: 1 },
      { uploadId: 'u', offset: 2 },
      { uploadId: 'u', offset: -1 },
      { uploadId: 'u', offset: 0.5 },
      { uploadId: 'u'.repeat(257) },
    ] as Json[]) {
      const { steps, result } = run(() => ok(data), 1);
      assert.equal((await rejection(result)).key, 'malformedReply');
      assert.equal(steps.length, 4);
    }
  });

  it('goes where the platform says, back and forth', async () => {
    const answers = [
      started,
      ok({}),
      refused(78119, { offset: 0 }),
      ok({}),
      refused(78119, { offset: 700 }),
      ok({}),
    ];
    const { steps, progress, result } = run(() => answers.shift() ?? timeout(), 1000);
    const failed = await rejection(result);
    assert.equal(failed.key, 'timeout');
    assert.deepEqual(offsets(steps), [0, 256, 0, 256, 700, 956, 956, 956, 956]);
    assert.deepEqual(progress, [0, 256, 700, 956]);
  });

  it('ends although the platform sends it round in circles, or nowhere', async () => {
    for (const data of [
      { offset: 0 },
      {},
      { offset: -1 },
      { offset: 1e9 },
      { offset: '0' },
      null,
    ] as Json[]) {
      const { steps, result } = run(({ step, params }) => {
        if (step === 'init') return started;
        return params.offset === 0 && data !== null && 'offset' in (data as object) && steps.length % 2 === 0
          ? ok({})
          : refused(78119, data);
      }, 1000);
      assert.equal((await rejection(result)).code, 78119);
      assert.ok(steps.length <= 12, `${steps.length} steps`);
    }
  });

  it('asks for the end when the platform has all blocks and is not finished', async () => {
    const answers = [started, timeout(), refused(78119, { offset: 100 }), ok({ complete: true })];
    const { steps, result } = run(() => answers.shift() ?? timeout(), 100);
    await result;
    assert.deepEqual(steps.at(-1)?.params, { uploadId: 'u', offset: 100, bSize: 0, isComplete: true });
  });

  it('takes "finished" for success only of a last block that was sent before', async () => {
    const again = [started, timeout(), refused(78124)];
    const { reply } = await run(() => again.shift() ?? timeout(), 100).result;
    assert.equal(reply.code, 78124);
    const atOnce = [started, refused(78124)];
    assert.equal((await rejection(run(() => atOnce.shift() ?? timeout(), 100).result)).code, 78124);
    const anew = [started, timeout(), refused(78122), started, refused(78124)];
    assert.equal((await rejection(run(() => anew.shift() ?? ok({}), 100).result)).code, 78124);
    const early = [started, timeout(), refused(78124)];
    assert.equal((await rejection(run(() => early.shift() ?? timeout(), 1000).result)).code, 78124);
  });

  it('is not content with a last block that completes nothing', async () => {
    const answers = [started, ok({ complete: false }), refused(78124)];
    assert.equal((await run(() => answers.shift() ?? timeout(), 100).result).reply.code, 78124);
    const never = run(({ step }) => (step === 'init' ? started : ok({ complete: false })), 100);
    assert.equal((await rejection(never.result)).key, 'malformedReply');
  });

  it('starts anew with another mark when the platform has forgotten it, once', async () => {
    const answers = [
      started,
      ok({}),
      refused(78122),
      ok({ uploadId: 'v', offset: 0 }),
      ok({}),
      refused(78122),
    ];
    const { steps, result } = run(() => answers.shift() ?? timeout(), 1000);
    assert.equal((await rejection(result)).code, 78122);
    const uids = steps.filter(({ step }) => step === 'init').map(({ params }) => params.initUid);
    assert.equal(new Set(uids).size, 2);
    assert.deepEqual(
      steps.filter(({ step }) => step === 'send').map(({ params }) => [params.uploadId, params.offset]),
      [
        ['u', 0],
        ['u', 256],
        ['v', 0],
        ['v', 256],
      ],
    );
  });

  it('is cancelled while it waits for its turn', async () => {
    const given = new AbortController();
    const { steps, result } = run(
      ({ step }) => {
        if (step !== 'send') return started;
        queueMicrotask(() => given.abort());
        return new AlinkError('platformRefused', 'slow down', { code: 78127, retry: 'slow' });
      },
      100,
      { signal: given.signal },
    );
    assert.equal((await rejection(result)).key, 'aborted');
    assert.deepEqual(
      steps.map(({ step }) => step),
      ['init', 'send', 'cancel'],
    );
  });

  it('ends whatever the platform answers, and is never content without the whole file', async () => {
    const answers = fc.array(
      fc.oneof(
        fc.constantFrom(78119, 78121, 78122, 78124, 78125, 78127, 429).map((code) => refused(code)),
        fc.integer({ min: -10, max: 1200 }).map((offset) => refused(78119, { offset })),
        fc.jsonValue().map((data) => ok(data as Json)),
        fc.constant(timeout()),
      ),
      { maxLength: 60 },
    );
    await fc.assert(
      fc.asyncProperty(answers, fc.integer({ min: 0, max: 1100 }), async (list, size) => {
        const queue = [...list];
        const { steps, result } = run(
          ({ step }) => (step === 'init' ? started : (queue.shift() ?? ok({}))),
          size,
        );
        const end = await result.catch((error: unknown) => error);
        assert.ok(steps.length < 60);
        if (end instanceof AlinkError) return;
        assert.equal(steps.at(-1)?.params.isComplete, true);
      }),
      { numRuns: 200 },
    );
  });
});
