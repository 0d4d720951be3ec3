import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { SendWindow } from '../../../sdk/report/send-window';

/** Something with messages to send through a window. */
class Sender {
  sent = 0;
  constructor(
    private readonly window: SendWindow,
    private waiting: number,
    private readonly log: string[],
    private readonly name: string,
  ) {}

  readonly next = (): boolean => {
    if (this.waiting === 0) return false;
    this.waiting--;
    this.sent++;
    this.window.enter(true);
    this.log.push(this.name);
    return this.waiting > 0;
  };
}

describe('window of a connection', () => {
  it('lets 150 unacknowledged messages out, whoever sends them', async () => {
    const window = new SendWindow();
    const log: string[] = [];
    for (const name of ['a', 'b', 'c']) window.join(new Sender(window, 100, log, name).next);
    await Promise.resolve();
    assert.equal(log.length, 150);
    assert.equal(window.isOpen, false);
  });

  it('serves those who wait in a circle, so that a flood holds up nobody', async () => {
    const window = new SendWindow();
    const log: string[] = [];
    window.join(new Sender(window, 1000, log, 'flood').next);
    await Promise.resolve();
    log.length = 0;
    window.join(new Sender(window, 3, log, 'small').next);
    for (let i = 0; i < 6; i++) {
      window.acknowledge();
      window.answer();
    }
    await Promise.resolve();
    assert.deepEqual(log, ['flood', 'small', 'flood', 'small', 'flood', 'small']);
  });

  it('does not let the next one past those who wait', async () => {
    const window = new SendWindow();
    const log: string[] = [];
    window.join(new Sender(window, 200, log, 'a').next);
    await Promise.resolve();
    window.acknowledge();
    assert.equal(window.isOpen, false);
  });

  it('keeps nobody waiting for ever, whatever the order of things', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(400), { minLength: 1, maxLength: 8 }), async (loads) => {
        const window = new SendWindow();
        const log: string[] = [];
        for (const [i, load] of loads.entries()) window.join(new Sender(window, load, log, String(i)).next);
        const total = loads.reduce((sum, load) => sum + load, 0);
        let acknowledged = 0;
        for (let turn = 0; turn < 5000 && log.length < total; turn++) {
          await Promise.resolve();
          assert.ok(log.length - acknowledged <= 150);
          while (acknowledged < log.length) {
            window.acknowledge();
            window.answer();
            acknowledged++;
          }
        }
        assert.equal(log.length, total);
      }),
    );
  });
});
