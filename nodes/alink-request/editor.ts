import { Dialog } from '../shared/editor/dialog';
import { text } from '../shared/editor/text';
import { numberCheck, referenceCheck, validator } from '../shared/editor/validate';
import { type Entry, EntryForm, TYPE } from './editor-form';
import {
  AUTOMATIC,
  DEFAULT_OPERATION,
  entryFields,
  localeKey,
  OFFERED,
  offered,
  pushOf,
  takesPayload,
} from './options';

// The form of the open dialog; at most one is open at a time.
let open: EntryForm | undefined;

RED.nodes.registerType('alink-request', {
  category: 'alink',
  color: '#F2A765',
  defaults: {
    name: { value: '' },
    device: {
      value: '',
      type: 'alink-device',
      required: true,
      validate: validator(referenceCheck('device')),
    },
    operation: { value: DEFAULT_OPERATION, validate: validator(operationCheck) },
    source: { value: 'form' },
    entries: { value: [], validate: entriesValid },
    pushes: { value: false },
    timeout: { value: '', validate: validator(numberCheck(1, 3600, { integer: false })) },
  },
  inputs: 1,
  outputs: 1,
  icon: 'alink-request.svg',
  label() {
    if (this.name) return String(this.name);
    const known = offered(String(this.operation));
    return known ? text(TYPE, `operation.${localeKey(known.name)}`) : text(TYPE, 'label.palette');
  },
  paletteLabel() {
    return text(TYPE, 'label.palette');
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : '';
  },
  inputLabels() {
    return text(TYPE, 'label.input');
  },
  outputLabels() {
    return text(TYPE, 'label.output');
  },
  oneditprepare() {
    const dialog = new Dialog(this, 'node-input');
    fillOperations(dialog.find<HTMLSelectElement>('#node-input-operation'), String(this.operation));
    const kept = new Map<string, readonly Entry[]>([[String(this.operation), entriesOf(this)]]);
    let shown = '';
    dialog.watch(['operation'], () => {
      const name = dialog.value('operation');
      if (name === shown) return;
      // Whoever looks at another operation and comes back finds what was written.
      if (open !== undefined && shown !== '') kept.set(shown, open.read());
      shown = name;
      const operation = offered(name);
      if (operation === undefined) return;
      dialog.note('operation', text(TYPE, `operationHint.${localeKey(name)}`));
      dialog.find('[data-row="pushes"]').hidden = pushOf(operation) === undefined;
      dialog.find('[data-row="source"]').hidden = !takesPayload(operation);
      open = new EntryForm(dialog.find('[data-role="entries"]'), operation, kept.get(name) ?? []);
    });
    dialog.watch(['source', 'operation'], () => {
      const operation = offered(dialog.value('operation'));
      const source = operation && takesPayload(operation) ? dialog.value('source') || 'form' : 'form';
      dialog.note('source', text(TYPE, `sourceNote.${source}`));
      dialog.find('[data-role="entries"]').hidden = source === 'payload';
    });
    dialog.unfoldErrors();
  },
  oneditsave() {
    this.entries = open?.read() ?? [];
    open = undefined;
  },
  oneditcancel() {
    open = undefined;
  },
});

function fillOperations(select: HTMLSelectElement, chosen: string): void {
  for (const purpose of new Set(OFFERED.map((operation) => operation.purpose))) {
    const group = document.createElement('optgroup');
    group.label = text(TYPE, `purpose.${purpose}`);
    for (const operation of OFFERED.filter((one) => one.purpose === purpose)) {
      group.append(new Option(text(TYPE, `operation.${localeKey(operation.name)}`), operation.name));
    }
    select.append(group);
  }
  select.value = chosen;
}

function operationCheck(value: string): string | undefined {
  return offered(value) ? undefined : text(TYPE, 'validate.operation');
}

function entriesOf(node: EditorNode): readonly Entry[] {
  return Array.isArray(node.entries) ? node.entries : [];
}

/** Required parameters that only the form can give; those of messages are known when they come. */
function entriesValid(this: EditorNode, _value: unknown, _options: unknown): true | string {
  const operation = offered(String(this.operation));
  if (operation === undefined || (takesPayload(operation) && (this.source ?? 'form') !== 'form')) return true;
  const entries = entriesOf(this);
  const checked = operation.params === 'object' && entries.length === 0 ? [{}] : entries;
  for (const entry of checked) {
    for (const { name, required, default: standard } of entryFields(operation)) {
      if (!required || name in entry || AUTOMATIC.has(name) || standard !== undefined) continue;
      return text(TYPE, 'validate.missing', { parameter: text(TYPE, `parameter.${name}`) });
    }
  }
  return true;
}
