import { Dialog } from './dialog';
import { watchGateway } from './gateway-rows';
import { suggestIdentifiers } from './suggest-identifiers';
import { sharedText } from './text';
import { identifierCheck, numberCheck, referenceCheck, validator } from './validate';

export const validDevice = validator(referenceCheck('device'));
export const validIdentifier = validator(identifierCheck);
export const validTimeout = validator(numberCheck(1, 3600, { integer: false }));
/** Milliseconds. */
export const validPackWindow = validator(numberCheck(0, 10_000, { integer: false }));

const VALUE_TYPES = ['msg', 'flow', 'global', 'str', 'num', 'bool', 'json', 'date', 'jsonata', 'env'];
const TIME_TYPES = ['msg', 'flow', 'global', 'num', 'date', 'jsonata', 'env'];

/**
 * Prepares what the dialogs of all reporting nodes have in common: the typed inputs and the suggestions
 * from the device's thing model.
 * @param list which part of the thing model the identifier names
 */
export function prepareReportDialog(node: EditorNode, list: 'properties' | 'events'): Dialog {
  const dialog = new Dialog(node, 'node-input');
  $(dialog.field('value')).typedInput({
    types: VALUE_TYPES,
    default: 'msg',
    typeField: dialog.field('valueType'),
  });
  $(dialog.field('time')).typedInput({
    types: [{ value: 'none', label: sharedText('report.timeNone'), hasValue: false }, ...TIME_TYPES],
    default: 'none',
    typeField: dialog.field('timeType'),
  });
  suggestIdentifiers(dialog, list);
  watchGateway(dialog);
  dialog.unfoldErrors();
  return dialog;
}
