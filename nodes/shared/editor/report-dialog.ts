import { Dialog } from './dialog';
import { type Suggestion, suggest } from './suggest';
import { sharedText } from './text';
import { identifierCheck, numberCheck, referenceCheck, validator } from './validate';

export const validDevice = validator(referenceCheck('device'));
export const validIdentifier = validator(identifierCheck);
export const validTimeout = validator(numberCheck(1, 3600, { integer: false }));

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
  dialog.unfoldErrors();
  return dialog;
}

function suggestIdentifiers(dialog: Dialog, list: 'properties' | 'events'): void {
  let known: Suggestion[] = [];
  let asked = '';
  suggest(dialog.field('identifier'), () => known);
  dialog.watch(['device'], () => {
    const device = dialog.value('device');
    if (device === asked) return;
    asked = device;
    known = [];
    if (device === '' || device === '_ADD_') return;
    $.getJSON(`alink-device/${encodeURIComponent(device)}/thing-model`)
      .done((answer) => {
        if (device === asked) known = readSuggestions(answer, list);
      })
      // Not deployed yet, or not allowed: the field takes any text all the same.
      .fail(() => undefined);
  });
}

function readSuggestions(answer: unknown, list: 'properties' | 'events'): Suggestion[] {
  const entries: unknown =
    typeof answer === 'object' && answer !== null ? Reflect.get(answer, list) : undefined;
  if (!Array.isArray(entries)) return [];
  return entries.flatMap((entry: unknown) => {
    if (typeof entry !== 'object' || entry === null) return [];
    const { identifier, name, type } = entry as Record<string, unknown>;
    if (typeof identifier !== 'string') return [];
    const words = [name, type].filter((word) => typeof word === 'string' && word !== '');
    return [{ value: identifier, name: words.join(' · ') }];
  });
}
