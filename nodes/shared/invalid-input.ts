import { AlinkError } from '../../sdk';
import type { MessageValues } from './runtime-messages';

/** Why a message cannot be used; keys of the sentences under `input` in the locales. */
export const INPUT_RULES = [
  'missing',
  'notANumber',
  'notABoolean',
  'notAList',
  'notAnObject',
  'notOneOf',
  'notJsonValue',
  'noTopic',
  'noEvent',
  'nothingToSend',
  'notBytes',
  'notHex',
  'notBase64',
  'notJsonText',
  'noTarget',
  'otherDevice',
  'notADevice',
  'noSubDevice',
  'noSubDevices',
  'tooManyDevices',
  'notASubDevice',
  'badName',
  'badSecret',
  'noProductSecret',
  'notPercent',
  'notFailureStep',
  'notFirmwareName',
  'noOtaReport',
  'noConfiguration',
  'noModelConfiguration',
  'notInModelConfiguration',
] as const;

export type InputRule = (typeof INPUT_RULES)[number];

/**
 * What a flow gives and a node cannot use.
 * @param reason in English, for logs and for those who have no catalogue
 * @param values what the sentence in the person's language names, for example `field`
 */
export function invalidInput(
  rule: InputRule,
  reason: string,
  values: MessageValues = {},
  cause?: unknown,
): AlinkError {
  return new AlinkError('invalidInput', reason, {
    details: { ...values, rule, reason },
    ...(cause === undefined ? {} : { cause }),
  });
}
