import assert from 'node:assert/strict';
import { explainError } from '../../nodes/shared/runtime-messages';
import type { AlinkError } from '../../sdk';
import { speaking } from './language';

const LANGUAGES = ['en-US', 'zh-CN'].map((language) => ({ language, RED: speaking(language) }));

/** That the reason of an error has words in both languages, with all of its values. */
export function assertSaid(error: AlinkError): void {
  assert.ok(error.details.rule !== undefined, `${error.key} names no rule: ${error.message}`);
  for (const { language, RED } of LANGUAGES) {
    const text = explainError(RED, error);
    assert.doesNotMatch(text, /undefined|__/, `${error.key} ${error.details.rule} in ${language}`);
    if (language === 'zh-CN') assert.ok(!text.includes(error.message), `English in: ${text}`);
  }
}
