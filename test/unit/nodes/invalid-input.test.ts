import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { NodeAPI } from 'node-red';
import { INPUT_RULES, invalidInput } from '../../../nodes/shared/invalid-input';
import { explainError } from '../../../nodes/shared/runtime-messages';
import { AlinkError } from '../../../sdk';
import { speaking } from '../../support/language';

/** Rules that the SDK and the settings name. */
const FURTHER = [
  'noDevice',
  'noPlatform',
  'noGateway',
  'replyCode',
  'replyData',
  'replyBytes',
  'desiredNeedsModel',
  'serviceName',
  'outputsNeedFlow',
  'cloudAction',
  'subDeviceConfigured',
  'tooManyLoggedIn',
  'ownGateway',
  'notGateway',
  'onlySubDevices',
  'notForSubDevices',
];

describe('input that cannot be used', () => {
  for (const language of ['en-US', 'zh-CN']) {
    for (const rule of [...INPUT_RULES, ...FURTHER]) {
      it(`${language}: ${rule} is said in the user's language`, () => {
        const details = {
          rule,
          reason: 'fallback',
          field: 'x',
          value: 'y',
          expected: 'z',
          name: 'n',
          device: 'd',
          limit: 9,
        };
        const said = explainError(
          speaking(language),
          new AlinkError('invalidInput', 'fallback', { details }),
        );
        assert.doesNotMatch(said, /fallback|__|undefined/);
        assert.equal(/[\u4e00-\u9fff]/.test(said), language === 'zh-CN');
      });
    }
  }

  it('names the field', () => {
    const error = invalidInput('missing', 'topic: is empty', { field: 'topic' });
    assert.equal(explainError(speaking('zh-CN'), error), '无法处理该消息：缺少 topic');
  });

  it('is said in English where there is no catalogue', () => {
    const error = invalidInput('noTopic', 'no topic is named');
    assert.equal(explainError({ _: (key: string) => key } as unknown as NodeAPI, error), 'no topic is named');
  });

  it('explains codes of the cloud API: numbers, missing parameters, and nothing for those it does not know', () => {
    const explain = (cloudCode: string) =>
      explainError(speaking('en-US'), new AlinkError('cloudRefused', 'x', { details: { cloudCode } }));
    assert.match(explain('100001'), /^The platform answered 100001\. An error of the device's own\.$/);
    assert.match(explain('MissingItems'), /MissingItems\. Is the value empty/);
    assert.equal(explain('NeverHeard').trim(), 'The platform answered NeverHeard.');
  });

  it('puts what the platform said behind the sentence', () => {
    const error = new AlinkError('closed', 'closed', { platformMessage: 'why' });
    assert.equal(explainError(speaking('zh-CN'), error), '设备已关闭。（why）');
    assert.equal(explainError(speaking('en-US'), error), 'The device is closed. (why)');
  });
});
