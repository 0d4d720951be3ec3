import assert from 'node:assert/strict';
import { mock } from 'node:test';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { PlatformClock } from '../../../sdk/clock';

const LIMIT = 3000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

describe('clock of the platform', () => {
  let sent: string[];
  let logged: string[];
  let clock: PlatformClock;
  /** This machine's clock, which may jump, and one that does not. */
  let wall: number;
  let steady: number;

  beforeEach(() => {
    mock.timers.enable({ apis: ['setTimeout'] });
    sent = [];
    logged = [];
    wall = 1000;
    steady = 0;
    clock = new PlatformClock({
      send: (payload) => sent.push(payload),
      log: ({ event }) => logged.push(event),
      limitMs: LIMIT,
      wall: () => wall,
      steady: () => steady,
    });
  });

  afterEach(() => mock.timers.reset());

  const pass = (ms: number) => {
    wall += ms;
    steady += ms;
    mock.timers.tick(ms);
  };
  const answer = (fields: object = {}, platform = 5_000_000) =>
    clock.receive(
      Buffer.from(
        JSON.stringify({
          ...JSON.parse(sent.at(-1) ?? '{}'),
          serverRecvTime: String(platform),
          serverSendTime: String(platform),
          ...fields,
        }),
      ),
    );

  it('is asked again every hour, after a minute when there was no answer', async () => {
    const first = clock.learn();
    pass(40);
    answer();
    await first;
    pass(HOUR - 1);
    assert.equal(sent.length, 1);
    pass(1);
    assert.equal(sent.length, 2);
    pass(LIMIT);
    await settled();
    assert.deepEqual(logged, ['clockNotLearned']);
    pass(MINUTE - 1);
    assert.equal(sent.length, 2);
    pass(1);
    assert.equal(sent.length, 3);
  });

  it('is not asked by a connection that ended, also when it ended in the middle', async () => {
    const learned = clock.learn();
    clock.stop();
    await learned;
    pass(2 * HOUR);
    assert.equal(sent.length, 1);
    const again = clock.learn();
    answer();
    await again;
    clock.stop();
    pass(2 * HOUR);
    assert.equal(sent.length, 2);
    assert.deepEqual(logged, []);
  });

  it('is asked once at a time', async () => {
    const all = [clock.learn(), clock.learn(), clock.learn()];
    answer();
    await Promise.all(all);
    assert.equal(sent.length, 3);
    pass(HOUR);
    assert.equal(sent.length, 4);
  });

  it('takes half of the way for the way back, less what the platform needed', async () => {
    const learned = clock.learn();
    pass(140);
    answer({ serverRecvTime: 5_000_000, serverSendTime: 5_000_100 });
    await learned;
    assert.equal(clock.offset, 5_000_120 - wall);
  });

  it('keeps the platform’s time whatever this machine’s clock does', async () => {
    const made = clock.write(wall);
    const learned = clock.learn();
    pass(100);
    // Somebody sets the clock while reports wait.
    wall += 1e12;
    answer({}, 7_000_000);
    await learned;
    assert.equal(clock.settle(`{"a":${made}}`), `{"a":${7_000_050 - 100}}`);
    assert.equal(clock.write(wall), '7000050');
    pass(25);
    assert.equal((clock.offset ?? 0) + wall, 7_000_075);
  });

  it('leaves times as they are when it never learns the platform’s', () => {
    const made = clock.write(wall - 250);
    pass(5000);
    assert.equal(clock.settle(`[${made}]`), `[${750}]`);
    assert.equal(clock.offset, undefined);
  });

  it('leaves every text alone, also one that looks like its marks', () => {
    const made = clock.write(wall);
    const likeness = JSON.parse(`"${made.replaceAll('"', '').replace('\u0001', '\\u0001')}"`) as string;
    const texts = ['@local:1:2@', likeness, '\u0001'];
    assert.equal(clock.settle(JSON.stringify(texts)), JSON.stringify(texts));
    assert.equal(
      clock.settle(`{"t":${made},"texts":${JSON.stringify(texts)}}`),
      JSON.stringify({ t: wall, texts }),
    );
  });

  it('learns nothing from answers that are none', () => {
    const learned = clock.learn();
    for (const wrong of [
      { deviceSendTime: '999' },
      { serverRecvTime: 'soon' },
      { serverSendTime: 1 },
      { serverRecvTime: -5, serverSendTime: -5 },
      { serverSendTime: 1e20 },
      { serverRecvTime: null },
    ])
      answer(wrong);
    fc.assert(fc.property(fc.json(), (payload) => clock.receive(Buffer.from(payload))));
    clock.receive(Buffer.from([0xff, 0]));
    assert.equal(clock.offset, undefined);
    clock.stop();
    return learned;
  });
});

/** Continuations that are due have run. */
async function settled(): Promise<void> {
  for (let i = 0; i < 5; i++) await Promise.resolve();
}
