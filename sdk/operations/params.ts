import { checkParams, type Json, operation } from '../../protocol';
import { brokenRules } from '../problems';

/**
 * Checks the params of a request that a flow may start, so that the error names the parameter and not only a code.
 * @throws AlinkError `invalidInput` with the broken rules
 */
export function assertParams(name: string, params: Json): void {
  const entry = operation(name);
  // The others are reports, which are checked by the thing model, or belong to machinery of their own.
  if (!entry.requestable) return;
  const problems = checkParams(entry, params);
  if (problems.length > 0) throw brokenRules('invalidInput', problems);
}
