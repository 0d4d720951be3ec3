import { scriptProblem } from '../script/types';
import { ActionError, type ActionParameters } from './parameters';

/** The emulator runs JavaScript only; the platform also knows `Python_27` and `PHP_72`. */
const SCRIPT_TYPE = 'JavaScript';

function writeScript(parameters: ActionParameters): object {
  const product = parameters.product();
  const script = parameters.text('ScriptContent');
  if (parameters.text('ScriptType') !== SCRIPT_TYPE) throw invalid(`ScriptType must be ${SCRIPT_TYPE}.`);
  const problem = scriptProblem(script);
  if (problem !== undefined) throw invalid(`The script is too long: ${problem}.`);
  parameters.platform.setScript(product, script);
  return {};
}

/** `ScriptUrl` holds the script itself: a `data:` address can be fetched like any other. */
function getThingScript(parameters: ActionParameters): object {
  const { script } = parameters.product();
  if (script === undefined) return { Data: {} };
  const url = `data:text/javascript;base64,${Buffer.from(script.text).toString('base64')}`;
  return { Data: { ScriptType: SCRIPT_TYPE, ScriptUrl: url } };
}

function invalid(message: string): ActionError {
  return new ActionError('iot.common.InvalidParameter', message);
}

export const SCRIPT_ACTIONS = {
  CreateThingScript: writeScript,
  UpdateThingScript: writeScript,
  GetThingScript: getThingScript,
};
