import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'mocha';
import { AlinkError, type SessionStateName } from '../../../../sdk';
import { type Carrier, SubDeviceSession } from '../../../../sdk/gateway/sub-session';
import type { Timing } from '../../../../sdk/session/timing';

const TIMING: Partial<Timing> = {
  backoff: { first: 2, longest: 4 },
  refusalBackoff: { first: 3_600_000, longest: 3_600_000 },
};

function refused(code: number, retry: 'no' | 'slow' = 'no'): AlinkError {
  return new AlinkError('platformRefused', `${code}`, { code, retry });
}

/** A sub-device's session on a gateway that is made up. */
class Bench {
  readonly did: string[] = [];
  readonly states: SessionStateName[] = [];
  isOnline = true;
  offline: AlinkError | undefined;
  /** How logins end, in turn; afterwards well. */
  readonly logins: Array<() => Promise<void>> = [];
  readonly session: SubDeviceSession;
  #waiting: Array<{ name: SessionStateName; done: () => void }> = [];

  constructor(timing: Partial<Timing> = TIMING) {
    const bench = this;
    benches.push(this);
    const link = { publish: () => undefined };
    const carrier: Carrier = {
      get link() {
        return bench.isOnline ? link : undefined;
      },
      get offline() {
        return bench.offline;
      },
      start: () => this.did.push('start'),
      subscribe: (filters) => this.did.push(`subscribe ${filters.join()}`),
      unsubscribe: (filters, isOver) => isOver && this.did.push(`forget ${filters.join()}`),
      bringUp: async (_, onSent) => {
        onSent();
        this.did.push('login');
        await this.logins.shift()?.();
      },
      logout: async () => {
        this.did.push('logout');
      },
      leave: () => this.did.push('leave'),
    };
    this.session = new SubDeviceSession(
      carrier,
      {
        filters: () => ['topic'],
        qosOf: () => 1,
        onRefusedFilter: () => undefined,
        onMessage: () => undefined,
        onState: () => this.#state(),
        onOnline: () => this.did.push('online'),
        onOffline: ({ key, code }) => this.did.push(`offline ${code ?? key}`),
        log: () => undefined,
      },
      timing,
    );
  }

  /** Waits for the next change to this state. */
  next(name: SessionStateName): Promise<void> {
    return new Promise((done) => this.#waiting.push({ name, done }));
  }

  #state(): void {
    const { name } = this.session.state;
    this.states.push(name);
    for (const { done } of this.#waiting.filter((waiting) => waiting.name === name)) done();
    this.#waiting = this.#waiting.filter((waiting) => waiting.name !== name);
  }
}

const benches: Bench[] = [];

async function online(bench = new Bench()): Promise<Bench> {
  const isOnline = bench.next('online');
  bench.session.start();
  await isOnline;
  bench.did.length = 0;
  return bench;
}

describe('session of a sub-device', () => {
  // Sessions that wait to try again keep the process alive.
  afterEach(async () => {
    await Promise.all(benches.splice(0).map(({ session }) => session.stop()));
  });

  it('logs in, subscribes, and says goodbye', async () => {
    const bench = new Bench();
    const isOnline = bench.next('online');
    bench.session.start();
    assert.equal(bench.session.link, undefined);
    await isOnline;
    await bench.session.stop();
    assert.deepEqual(bench.did, [
      'start',
      'login',
      'subscribe topic',
      'online',
      'offline closed',
      'logout',
      'forget topic',
      'leave',
    ]);
    assert.deepEqual(bench.states, ['connecting', 'online', 'closing', 'idle']);
  });

  it('waits for its gateway and begins when that is there', async () => {
    const bench = new Bench();
    bench.isOnline = false;
    bench.session.start();
    await Promise.resolve();
    assert.deepEqual(bench.did, ['start']);
    assert.equal(bench.session.state.name, 'connecting');
    const isOnline = bench.next('online');
    bench.isOnline = true;
    bench.session.gatewayOnline();
    await isOnline;
  });

  it('says why when the gateway is offline for a reason', async () => {
    const bench = new Bench();
    bench.isOnline = false;
    bench.offline = new AlinkError('gatewayOffline', 'no network');
    const waits = bench.next('waiting');
    bench.session.start();
    await waits;
    assert.equal(bench.session.state.reason?.key, 'gatewayOffline');
    assert.equal(bench.session.retryAt, undefined, 'it is the gateway that tries again');
  });

  it('logs in again after every reconnect of the gateway', async () => {
    const bench = await online();
    for (let i = 0; i < 3; i++) {
      bench.session.gatewayOffline(new AlinkError('gatewayOffline', 'cut'));
      assert.equal(bench.session.state.name, 'waiting');
      const isOnline = bench.next('online');
      bench.session.gatewayOnline();
      await isOnline;
    }
    assert.equal(bench.did.filter((step) => step === 'login').length, 3);
    assert.equal(bench.did.filter((step) => step === 'offline gatewayOffline').length, 3);
  });

  it('forgets a login that the cut of the gateway overtook', async () => {
    const bench = new Bench();
    let answer: () => void = () => undefined;
    bench.logins.push(() => new Promise((done) => (answer = done)));
    bench.session.start();
    await new Promise(setImmediate);
    bench.session.gatewayOffline(new AlinkError('gatewayOffline', 'cut'));
    answer();
    await new Promise(setImmediate);
    assert.equal(bench.session.state.name, 'waiting');
    assert.ok(!bench.did.includes('online'));
    const isOnline = bench.next('online');
    bench.session.gatewayOnline();
    await isOnline;
  });

  it('takes back a login that was answered after it was given up', async () => {
    const bench = new Bench();
    let answer: () => void = () => undefined;
    bench.logins.push(() => new Promise((done) => (answer = done)));
    bench.session.start();
    await new Promise(setImmediate);
    await bench.session.stop();
    assert.ok(!bench.did.includes('logout'), 'there is no session yet');
    answer();
    await new Promise(setImmediate);
    assert.equal(bench.did.at(-1), 'logout');
  });

  it('tries again after a failure of the moment, and waits long after a refusal', async () => {
    const bench = new Bench();
    bench.logins.push(
      () => Promise.reject(new AlinkError('timeout', 'no answer', { retry: 'slow' })),
      () => Promise.reject(refused(522)),
    );
    const isRefused = bench.next('refused');
    bench.session.start();
    await isRefused;
    assert.deepEqual(bench.states, ['connecting', 'waiting', 'connecting', 'refused']);
    assert.equal(bench.session.state.reason?.code, 522);
    const isOnline = bench.next('online');
    bench.session.retry(); // the platform enabled it
    await isOnline;
  });

  it('stays refused while the gateway comes and goes', async () => {
    const bench = new Bench();
    bench.logins.push(() => Promise.reject(refused(6287)));
    const isRefused = bench.next('refused');
    bench.session.start();
    await isRefused;
    bench.session.gatewayOffline(new AlinkError('gatewayOffline', 'cut'));
    bench.session.gatewayOnline();
    await new Promise(setImmediate);
    assert.equal(bench.session.state.name, 'refused');
    assert.equal(bench.did.filter((step) => step === 'login').length, 1);
  });

  it('waits a minute when it logged in too often', async () => {
    const bench = new Bench();
    bench.logins.push(() => Promise.reject(refused(429, 'slow')));
    const waits = bench.next('waiting');
    bench.session.start();
    await waits;
    const wait = (bench.session.retryAt ?? 0) - Date.now();
    assert.ok(wait > 55_000 && wait <= 60_100, `${wait} ms`);
    await bench.session.stop();
  });

  it('never logs in more than five times a minute, however often the gateway comes back', async () => {
    const bench = await online();
    for (let i = 0; i < 20; i++) {
      bench.session.gatewayOffline(new AlinkError('gatewayOffline', 'cut'));
      bench.session.gatewayOnline();
      await new Promise(setImmediate);
    }
    assert.equal(bench.did.filter((step) => step === 'login').length, 4, 'and one before');
    assert.ok(bench.session.retryAt);
    await bench.session.stop();
  });

  it('never logs in more than five times a minute, however often it is asked to', async () => {
    const bench = await online(
      new Bench({ ...TIMING, refusalBackoff: { first: 3_600_000, longest: 3_600_000 } }),
    );
    for (let i = 0; i < 8; i++) {
      bench.session.ended(refused(522));
      bench.session.retry();
      await new Promise(setImmediate);
    }
    assert.equal(bench.did.filter((step) => step === 'login').length, 4, 'and one before');
    assert.equal(bench.session.state.name, 'refused');
  });

  for (const [code, state, meaning] of [
    [520, 'waiting', 'has no session'],
    [427, 'waiting', 'was logged in elsewhere'],
    [521, 'refused', 'was deleted'],
    [522, 'refused', 'was disabled'],
    [6401, 'refused', 'left the topology'],
  ] as const) {
    it(`is ${state} when the platform says that it ${meaning} (${code})`, async () => {
      const bench = await online(new Bench({ ...TIMING, backoff: { first: 3_600_000, longest: 3_600_000 } }));
      bench.session.ended(refused(code, code === 427 ? 'slow' : 'no'));
      bench.session.ended(refused(code)); // told on both topics
      assert.equal(bench.session.state.name, state);
      assert.deepEqual(bench.did, [`offline ${code}`]);
      await bench.session.stop();
      assert.ok(!bench.did.includes('logout'), 'there is nothing to log out');
    });
  }

  it('hears of an end that comes in one go with the answer to the login', async () => {
    const bench = new Bench();
    const isRefused = bench.next('refused');
    bench.logins.push(async () => bench.session.ended(refused(521)));
    bench.session.start();
    await isRefused;
    assert.deepEqual(bench.did, ['start', 'login', 'subscribe topic', 'online', 'offline 521']);
  });

  it('a message of before the login that had no session ends no new one', async () => {
    const bench = new Bench();
    bench.logins.push(async () => bench.session.ended(refused(520)));
    await online(bench);
    await new Promise(setImmediate);
    assert.equal(bench.session.state.name, 'online');
    assert.deepEqual(bench.did, []);
  });

  it('gives way for minutes to another one with its names', async () => {
    const bench = await online();
    for (let i = 0; i < 2; i++) {
      const isOnline = bench.next('online');
      bench.session.ended(refused(427, 'slow'));
      await isOnline;
    }
    bench.session.ended(refused(427, 'slow'));
    assert.equal(bench.session.state.name, 'conflict');
    await bench.session.stop();
  });
});
