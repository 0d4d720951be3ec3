import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { noticeMessage, stateMessage } from '../../../nodes/shared/lifecycle-messages';
import { AlinkError, type GatewayNotice } from '../../../sdk';
import { speaking } from '../../support/language';

const GATEWAY = { productKey: 'a1Gate', deviceName: 'gate' };
const SUB = { productKey: 'a1Sub', deviceName: 'sub' };
const TYPES = [
  'addRequested',
  'added',
  'removed',
  'enabled',
  'disabled',
  'deleted',
  'kicked',
  'permitJoin',
] as const satisfies ReadonlyArray<GatewayNotice['type']>;

describe('messages of alink-lifecycle', () => {
  for (const language of ['en-US', 'zh-CN']) {
    const RED = speaking(language);
    const isRight = (said: unknown) => {
      assert.doesNotMatch(String(said), /__|undefined|notice\./);
      assert.equal(/[\u4e00-\u9fff]/.test(String(said)), language === 'zh-CN', String(said));
    };

    for (const type of TYPES) {
      it(`${language}: says what ${type} means`, () => {
        const notice = { type, devices: [SUB], productKey: 'a1Sub', seconds: 60, time: 1 };
        const { alink } = noticeMessage(RED, GATEWAY, notice);
        isRight(alink.message);
        assert.notEqual(alink.message, type);
      });
    }

    for (const code of [427, 520, 521, 522, 6401]) {
      it(`${language}: says what ${code} means`, () => {
        const reason = new AlinkError('platformRefused', 'fallback', { code });
        const { alink } = stateMessage(RED, SUB, { name: 'refused', waiting: 0, reason }, 'refused', true);
        isRight(alink.message);
        assert.equal(alink.code, code);
        assert.match(String(alink.message), new RegExp(`${code}.{5}`));
        assert.doesNotMatch(String(alink.message), /fallback|\?/);
      });
    }
  }

  it('are plain JSON and share nothing with what the SDK holds', () => {
    const devices = [SUB, { ...SUB, deviceName: 'other' }];
    const message = noticeMessage(speaking('en-US'), GATEWAY, { type: 'removed', devices, time: 1 });
    assert.deepEqual(JSON.parse(JSON.stringify(message)), message);
    assert.ok(Array.isArray(message.alink.devices) && message.alink.devices[0] !== SUB);
  });
});
