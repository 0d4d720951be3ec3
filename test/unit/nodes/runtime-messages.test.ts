import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { explainError, explainLog, nameReason } from '../../../nodes/shared/runtime-messages';
import { sessionStatus } from '../../../nodes/shared/status';
import { explainCode } from '../../../protocol';
import { AlinkError, type ErrorKey, type LogLine } from '../../../sdk';
import { speaking } from '../../support/language';

const DISABLED = new AlinkError('platformRefused', 'the platform answered 522', { code: 522 });
/** What the SDK tells a log, as it is written there. */
const LINES: ReadonlyArray<Pick<LogLine, 'event' | 'details'>> = [
  { event: 'waiting', details: { reason: 'x', retryInSeconds: 5 } },
  { event: 'refused', details: { reason: 'x', retryInSeconds: 5 } },
  { event: 'conflict', details: { reason: 'x', retryInSeconds: 5 } },
  { event: 'topologyUnknown', details: { reason: 'x' } },
  { event: 'logoutFailed', details: { reason: 'x' } },
  { event: 'listenerFailed', details: { reason: 'x' } },
  { event: 'clockNotLearned', details: { seconds: 3 } },
  { event: 'thingModelCache', details: { reason: 'x' } },
  { event: 'thingModelRefused', details: { reason: 'x' } },
  { event: 'thingModelNotFetched', details: { reason: 'x' } },
  { event: 'subscriptionRefused', details: { topic: '/a/b' } },
  { event: 'tooManyRequests', details: { topic: '/a/b' } },
  { event: 'requestNotTaken', details: { name: 'x' } },
  { event: 'requestUnreadable', details: { topic: '/a/b', reason: 'x' } },
  { event: 'desiredNotAsked', details: { reason: 'x' } },
  { event: 'messagesNotTaken', details: { topic: '/a/b', count: 2 } },
  { event: 'configurationNotAsked', details: { reason: 'x' } },
  { event: 'firmwareNotAsked', details: { module: 'm', reason: 'x' } },
  {
    event: 'firmwareNotInEffect',
    details: { productKey: 'p', deviceName: 'd', module: 'm', version: '1', expected: '2' },
  },
  { event: 'versionNotReported', details: { module: 'm', reason: 'x' } },
  { event: 'progressNotReported', details: { module: 'm', reason: 'x' } },
  { event: 'firmwareAddressRenewed', details: { module: 'm', version: '1', reason: 'x' } },
];

describe('what nodes say', () => {
  for (const language of ['en-US', 'zh-CN']) {
    const RED = speaking(language);
    const isRight = (said: string) => {
      assert.doesNotMatch(said, /__|undefined/);
      assert.equal(/[\u4e00-\u9fff]/.test(said), language === 'zh-CN', said);
    };

    it(`${language}: the lines of a log`, () => {
      for (const line of LINES) {
        const said = explainLog(RED, { level: 'warn', ...line });
        isRight(said);
        for (const value of Object.values(line.details)) assert.ok(said.includes(String(value)), said);
      }
    });

    it(`${language}: a reason in the log that has words of its own`, () => {
      const details = { module: 'm', version: '1', rule: 'documentStatus', status: 403, reason: 'english' };
      const line = explainLog(RED, { level: 'info', event: 'firmwareAddressRenewed', details });
      isRight(line);
      assert.match(line, /403/);
      assert.doesNotMatch(line, /english/);
    });

    it(`${language}: what firmware needs of the person, and a setting by the name that its dialog has`, () => {
      const of = (key: ErrorKey, details: Record<string, string | number>) =>
        explainError(RED, new AlinkError(key, 'english', { details }));
      for (const [said, remedy] of [
        [of('firmwareMismatch', { rule: 'fileDigest', method: 'md5' }), /push it again|重新推送/],
        [of('firmwareTooLarge', { value: 2, limit: 1 }), /Raise|调大上限/],
        [of('firmwareGivenUp', { version: '1', attempts: 3 }), /msg\.reset = true/],
        [of('downloadFailed', { rule: 'documentStatus', status: 418 }), /Push the firmware again|重新推送/],
        [of('firmwareOffer', { rule: 'firmwareFiles', step: -1 }), /Correct the package|修正升级包/],
        [
          of('firmwareStorage', { rule: 'storageAt', code: 'EROFS', path: '/mnt/a' }),
          /EROFS.*\/mnt\/a|\/mnt\/a.*EROFS/,
        ],
        [of('badSettings', { field: 'version', reason: 'x' }), /Running version|当前版本/],
        [of('badSettings', { field: 'mostMegabytes', reason: 'x' }), /Largest size|大小上限/],
      ] as const) {
        isRight(said.replaceAll(/msg\.reset|OTA/g, ''));
        assert.match(said, remedy);
      }
    });

    it(`${language}: why a session was refused, in the log and in a word in the status`, () => {
      const details = { reason: 'english', retryInSeconds: 5 };
      const line = explainLog(RED, { level: 'warn', event: 'refused', details, error: DISABLED });
      isRight(line);
      assert.match(line, /522/);
      assert.doesNotMatch(line, /english/);
      const { text = '' } = sessionStatus(RED, { name: 'refused', waiting: 0, reason: DISABLED });
      assert.equal(text, language === 'zh-CN' ? '被拒绝：已禁用 (522)' : 'refused: disabled (522)');
    });

    it(`${language}: a code without a name is not refused twice`, () => {
      const reason = new AlinkError('platformRefused', 'x', { code: 4711 });
      const { text = '' } = sessionStatus(RED, { name: 'refused', waiting: 0, reason });
      assert.equal(text, language === 'zh-CN' ? '平台拒绝 (4711)' : 'refused (4711)');
    });

    it(`${language}: names codes that are explained too`, () => {
      for (const code of [401, 427, 428, 429, 460, 520, 521, 522, 6100, 6204, 6287, 6288, 6400, 6401, 6402]) {
        const said = nameReason(RED, new AlinkError('platformRefused', 'x', { code }));
        assert.match(said, new RegExp(`^(?!refused|平台拒绝).{3,25} \\(${code}\\)$`));
        assert.ok(explainCode(code));
      }
    });

    it(`${language}: why a message waited in vain`, () => {
      const error = new AlinkError('waitingTimeout', 'x', { details: { seconds: 10 }, cause: DISABLED });
      const said = explainError(RED, error);
      isRight(said);
      assert.match(said, /10 .*522/);
      assert.match(nameReason(RED, error), /: .+ \(522\)$/);
    });

    it(`${language}: a setting as its dialog calls it`, () => {
      const details = { field: 'gateway', reason: 'x', rule: 'noGateway' };
      const said = explainError(RED, new AlinkError('badSettings', 'x', { details }));
      assert.match(said, language === 'zh-CN' ? /“网关”/ : /“Gateway”/);
    });
  }

  it('what the platform says is left out when it says nothing more', () => {
    const RED = speaking('en-US');
    const refusal = (platformMessage: string) =>
      explainError(RED, new AlinkError('platformRefused', 'x', { code: 6402, platformMessage }));
    assert.equal(refusal('A gateway cannot be its own sub-device'), refusal(''));
    assert.equal(refusal('网关不能作为自己的子设备'), refusal(''));
    assert.match(refusal('gateway is sub'), /own sub-device\. \(gateway is sub\)$/);
  });
});
