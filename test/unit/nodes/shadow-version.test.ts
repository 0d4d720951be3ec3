import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { ShadowVersion, shadowVersion } from '../../../nodes/alink-request/shadow-version';
import type { Json } from '../../../protocol';
import { AlinkError } from '../../../sdk';

/** A platform that keeps nothing but the version of its shadow. */
class Platform {
  asked = 0;
  sent: number[] = [];

  constructor(public stored: Json | undefined) {}

  readonly ask = async (): Promise<Json | undefined> => {
    this.asked++;
    return this.stored === undefined ? undefined : { version: this.stored };
  };

  readonly send = async (version: number): Promise<number> => {
    this.sent.push(version);
    if (version <= Number(this.stored ?? 0)) {
      throw new AlinkError('platformRefused', 'version conflict', { code: 409 });
    }
    this.stored = version;
    return version;
  };
}

describe('versions of a shadow', () => {
  it('many changes at once: asked once, counted up in order', async () => {
    const platform = new Platform(41);
    const version = new ShadowVersion();
    const changes = [1, 2, 3].map(() => version.change(platform.send, platform.ask));
    assert.deepEqual(await Promise.all(changes), [42, 43, 44]);
    assert.equal(platform.asked, 1);
  });

  for (const unknown of [undefined, null, 'x', -1, 1e300, { a: 1 }] as const) {
    it(`${JSON.stringify(unknown)} as stored version: the first one is 1`, async () => {
      const platform = new Platform(unknown);
      await assert.doesNotReject(new ShadowVersion().change(async () => 0, platform.ask));
      const sent: number[] = [];
      await new ShadowVersion().change(async (next) => sent.push(next), platform.ask);
      assert.deepEqual(sent, [1]);
    });
  }

  it('a conflict is tried again once, and only with a fresh version', async () => {
    const platform = new Platform(1);
    const version = new ShadowVersion();
    await version.change(platform.send, platform.ask);
    platform.stored = 9;
    assert.equal(await version.change(platform.send, platform.ask), 10);
    assert.deepEqual(platform.sent, [2, 3, 10]);
    const stubborn = async () => {
      platform.sent.push(0);
      throw new AlinkError('platformRefused', 'version conflict', { code: 409 });
    };
    await assert.rejects(version.change(stubborn, platform.ask), { code: 409 });
    assert.deepEqual(platform.sent.slice(3), [0, 0]);
  });

  it('another refusal is not tried again', async () => {
    let sent = 0;
    const refused = async () => {
      sent++;
      throw new AlinkError('platformRefused', 'no state', { code: 402 });
    };
    await assert.rejects(new ShadowVersion().change(refused, new Platform(1).ask), { code: 402 });
    assert.equal(sent, 1);
  });

  it('a question that fails is asked again with the next change', async () => {
    const platform = new Platform(4);
    const version = new ShadowVersion();
    const fail = async () => {
      throw new AlinkError('timeout', 'no answer');
    };
    const changes = [1, 2].map(() => version.change(platform.send, fail));
    for (const change of changes) await assert.rejects(change, { key: 'timeout' });
    assert.deepEqual(platform.sent, []);
    assert.equal(await version.change(platform.send, platform.ask), 5);
  });

  it('is one for all nodes of a device', () => {
    const [one, other] = [{}, {}];
    const identity = { productKey: 'a1Product', deviceName: 'first' };
    const second = { ...identity, deviceName: 'second' };
    assert.equal(shadowVersion(one, identity), shadowVersion(one, { ...identity }));
    assert.notEqual(shadowVersion(one, identity), shadowVersion(other, identity));
    assert.notEqual(shadowVersion(one, identity), shadowVersion(one, second));
  });
});
