import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { type Member, Plants } from '../../../nodes/alink-device/plant';

/** A sub-device that notes what is asked of it. */
class Noted implements Member {
  held = 0;
  finish: () => void = () => undefined;
  readonly #opened = new Promise<void>((resolve) => {
    this.finish = resolve;
  });
  asked = 0;

  hold(): void {
    this.held++;
  }
  opened(): Promise<void> {
    this.asked++;
    return this.#opened;
  }
  letGo(): void {
    this.held--;
  }
}

describe('the sub-devices of a gateway node', () => {
  it('are held while anyone uses the gateway, whoever came first', () => {
    const plants = new Plants();
    const [early, late, elsewhere] = [new Noted(), new Noted(), new Noted()];
    plants.join('gate', early);
    plants.join('other', elsewhere);
    assert.equal(early.held, 0);
    const first = plants.use('gate');
    const second = plants.use('gate');
    plants.join('gate', late);
    assert.deepEqual([early.held, late.held, elsewhere.held], [1, 1, 0]);
    first();
    first();
    assert.equal(early.held, 1);
    second();
    assert.deepEqual([early.held, late.held], [0, 0]);
  });

  it('are let go when they leave, once', () => {
    const plants = new Plants();
    const [gone, stays] = [new Noted(), new Noted()];
    const leave = plants.join('gate', gone);
    plants.join('gate', stays);
    const end = plants.use('gate');
    leave();
    leave();
    assert.deepEqual([gone.held, stays.held], [0, 1]);
    end();
    assert.deepEqual([gone.held, stays.held], [0, 0]);
    plants.use('gate');
    assert.deepEqual([gone.held, stays.held], [0, 1]);
  });

  it('are waited for together, by however many', async () => {
    const plants = new Plants();
    const members = [new Noted(), new Noted()];
    for (const member of members) plants.join('gate', member);
    plants.use('gate');
    let done = 0;
    const waits = Array.from({ length: 1000 }, () => plants.opened('gate').then(() => done++));
    assert.deepEqual(
      members.map(({ asked }) => asked),
      [1, 1],
    );
    members[0]?.finish();
    await new Promise(setImmediate);
    assert.equal(done, 0);
    members[1]?.finish();
    await Promise.all(waits);
    await plants.opened('gate');
    assert.deepEqual(
      members.map(({ asked }) => asked),
      [2, 2],
    );
    await plants.opened('nobody');
  });
});
