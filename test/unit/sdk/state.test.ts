import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { AlinkError, type ErrorKey } from '../../../sdk';
import { backoff, IDLE, type MachineEvent, type MachineState, nextState } from '../../../sdk/session/state';
import { TIMING } from '../../../sdk/session/timing';

const lost = (kicked = false): MachineEvent => ({ type: 'lost', error: failure('connectionClosed'), kicked });
const failed = (key: ErrorKey = 'unreachable'): MachineEvent => ({ type: 'failed', error: failure(key) });

function failure(key: ErrorKey): AlinkError {
  return new AlinkError(key, key);
}

/** Runs events, each at a time in seconds, with the same chance. */
function run(events: ReadonlyArray<[seconds: number, MachineEvent]>, random = 0): MachineState {
  return events.reduce(
    (state, [seconds, event]) => nextState(state, event, { now: seconds * 1000, random, timing: TIMING }),
    IDLE,
  );
}

describe('state machine', () => {
  const table: Array<[string, ReadonlyArray<[number, MachineEvent]>, Partial<MachineState>]> = [
    ['starts', [[0, { type: 'start' }]], { name: 'connecting' }],
    [
      'is online',
      [
        [0, { type: 'start' }],
        [1, { type: 'online' }],
      ],
      { name: 'online' },
    ],
    [
      'starts once',
      [
        [0, { type: 'start' }],
        [1, { type: 'online' }],
        [2, { type: 'start' }],
      ],
      { name: 'online' },
    ],
    [
      'waits half of the first wait at least',
      [
        [0, { type: 'start' }],
        [0, failed()],
      ],
      { name: 'waiting', retryAt: 1000 },
    ],
    [
      'doubles',
      [
        [0, { type: 'start' }],
        [0, failed()],
        [1, { type: 'retry' }],
        [1, failed()],
      ],
      { retryAt: 3000, attempts: 2 },
    ],
    [
      'tries again',
      [
        [0, { type: 'start' }],
        [0, failed()],
        [1, { type: 'retry' }],
      ],
      { name: 'connecting' },
    ],
    [
      'does not try twice at once',
      [
        [0, { type: 'start' }],
        [0, failed()],
        [1, { type: 'retry' }],
        [1, { type: 'retry' }],
      ],
      { name: 'connecting' },
    ],
    [
      'waits longer after a refusal',
      [
        [0, { type: 'start' }],
        [0, failed('refusedCredentials')],
      ],
      { name: 'refused', retryAt: 10_000 },
    ],
    [
      'starts anew after a stable minute',
      [
        [0, { type: 'start' }],
        [0, failed()],
        [1, { type: 'retry' }],
        [1, failed()],
        [3, { type: 'retry' }],
        [3, { type: 'online' }],
        [63, lost()],
      ],
      { name: 'waiting', attempts: 1, retryAt: 64_000 },
    ],
    [
      'goes on doubling after less than a minute',
      [
        [0, { type: 'start' }],
        [0, failed()],
        [1, { type: 'retry' }],
        [1, { type: 'online' }],
        [60, lost()],
      ],
      { attempts: 2, retryAt: 62_000 },
    ],
    [
      'closes from anywhere and hears nothing more',
      [
        [0, { type: 'start' }],
        [0, { type: 'stop' }],
        [0, { type: 'online' }],
        [0, failed()],
      ],
      { name: 'closing' },
    ],
    [
      'is idle after closing',
      [
        [0, { type: 'start' }],
        [0, { type: 'stop' }],
        [0, { type: 'stopped' }],
      ],
      { name: 'idle', attempts: 0 },
    ],
    [
      'hears of a lost link while connecting',
      [
        [0, { type: 'start' }],
        [1, lost()],
      ],
      { name: 'waiting' },
    ],
  ];
  for (const [name, events, expected] of table) {
    it(name, () => {
      const state = run(events);
      assert.deepEqual({ ...state, ...expected }, state);
    });
  }

  it('says why it waits until it is online again', () => {
    const waiting = run([
      [0, { type: 'start' }],
      [0, failed('dns')],
    ]);
    assert.equal(waiting.reason?.key, 'dns');
    const online = nextState(waiting, { type: 'online' }, { now: 1, random: 0, timing: TIMING });
    assert.deepEqual([online.reason, online.retryAt], [undefined, undefined]);
  });

  for (const key of ['refusedServer', 'registrationFailed', 'authenticationFailed', 'secretStore'] as const) {
    it(`takes ${key} for a refusal`, () => {
      assert.equal(
        run([
          [0, { type: 'start' }],
          [0, failed(key)],
        ]).name,
        'refused',
      );
    });
  }

  it('gives way for minutes after three quick kicks in two minutes', () => {
    const kicks = (times: number[]): Array<[number, MachineEvent]> =>
      times.flatMap(
        (at): Array<[number, MachineEvent]> => [
          [at, { type: 'start' }],
          [at, { type: 'online' }],
          [at + 1, lost(true)],
          [at + 2, { type: 'retry' }],
        ],
      );
    const conflict = run(kicks([0, 10, 20]).slice(0, -1), 0.5);
    assert.equal(conflict.name, 'conflict');
    assert.equal(conflict.retryAt, 21_000 + 450_000);
    assert.equal(conflict.reason?.key, 'conflict');
    assert.equal(run(kicks([0, 10, 130])).name, 'connecting', 'the first is too long ago');
    assert.notEqual(run(kicks([0, 10]).slice(0, -1)).name, 'conflict');
    const slow = kicks([0, 40, 80]).map(([at, event]): [number, MachineEvent] =>
      event.type === 'lost' ? [at + 30, event] : [at, event],
    );
    assert.notEqual(run(slow.slice(0, -1)).name, 'conflict', 'they lasted');
  });

  it('does not take a network failure for a kick', () => {
    const events = [0, 1, 2, 3].flatMap(
      (at): Array<[number, MachineEvent]> => [
        [at, { type: 'online' }],
        [at, lost(false)],
      ],
    );
    assert.equal(run(events).name, 'waiting');
  });

  it('never sends more than five CONNECTs in a minute, whatever happens to them', () => {
    const outcomes = fc.array(fc.constantFrom('lost', 'kicked', 'failed', 'refused'), {
      minLength: 8,
      maxLength: 40,
    });
    fc.assert(
      fc.property(outcomes, fc.double({ min: 0, max: 0.999, noNaN: true }), (names, random) => {
        const sent: number[] = [];
        let now = 0;
        let state = nextState(IDLE, { type: 'start' }, { now, random, timing: TIMING });
        const step = (event: MachineEvent) => {
          state = nextState(state, event, { now, random, timing: TIMING });
        };
        for (const name of names) {
          assert.equal(state.name, 'connecting');
          sent.push(now);
          step({ type: 'sent' });
          if (name === 'failed') step(failed());
          else if (name === 'refused') step(failed('refusedCredentials'));
          else {
            step({ type: 'online' });
            step(lost(name === 'kicked'));
          }
          assert.ok(state.retryAt !== undefined && state.retryAt >= now + 1000);
          now = state.retryAt;
          step({ type: 'retry' });
        }
        for (let i = 5; i < sent.length; i++) assert.ok((sent[i] ?? 0) - (sent[i - 5] ?? 0) >= 60_000 - 1e-6);
      }),
    );
  });

  it('waits between half and the whole of a wait that doubles up to the longest', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5000 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (n, random) => {
          const wait = backoff(n, TIMING.backoff, random);
          const base = Math.min(TIMING.backoff.longest, TIMING.backoff.first * 2 ** (n - 1));
          assert.ok(wait >= base / 2 && wait <= base);
        },
      ),
    );
  });
});
