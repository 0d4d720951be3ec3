import { type Problem, problemMessage } from '../protocol';
import { AlinkError } from './errors';

/** As many as a message of one line can name. */
const NAMED = 5;

/**
 * The error for input that breaks rules.
 * @param problems at least one; the first gives `field`
 * @param code what the platform is told; that of the first rule when absent
 */
export function brokenRules(
  key: 'invalidInput' | 'thingModel',
  problems: readonly Problem[],
  code: number | undefined = problems[0]?.code,
): AlinkError {
  const reason = problems.slice(0, NAMED).map(problemMessage).join('; ');
  const [first] = problems;
  return new AlinkError(key, reason, {
    problems,
    details: { reason, ...(first === undefined ? {} : { field: first.path }) },
    ...(code === undefined ? {} : { code }),
  });
}
