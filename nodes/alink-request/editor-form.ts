import type { Operation } from '../../protocol/catalogue';
import { text } from '../shared/editor/text';
import { AUTOMATIC, entryFields, type Field, hasManyEntries } from './options';

export const TYPE = 'alink-request';
/** Type of a field that holds nothing: empty text is no JSON. */
const UNSET = 'none';
const FROM_ELSEWHERE = ['msg', 'flow', 'global', 'jsonata', 'env'];

/** One field as the node keeps it: text and the type of its typed input. */
export interface FieldValue {
  value: string;
  type: string;
}

export type Entry = Record<string, FieldValue>;

interface Inputs {
  row: HTMLElement;
  fields: Map<string, { value: HTMLInputElement; type: HTMLInputElement }>;
}

/** Fields of an operation, made of its entry in the catalogue; in lists and maps any number of times. */
export class EntryForm {
  readonly #rows: Inputs[] = [];
  readonly #list = document.createElement('div');

  constructor(
    container: HTMLElement,
    private readonly operation: Operation,
    entries: readonly Entry[],
  ) {
    container.replaceChildren(this.#list);
    if (entryFields(operation).length === 0) return;
    const several = hasManyEntries(operation);
    // An empty list of texts means all of them; an empty list of anything else would be no request.
    const start = entries.length > 0 || this.operation.params === 'listOfTexts' ? entries : [{}];
    for (const entry of several ? start : start.slice(0, 1)) this.#add(entry);
    if (several) container.append(this.#button('fa-plus', 'action.add', () => this.#add({})));
  }

  /** What the fields hold; empty ones are left out. */
  read(): Entry[] {
    return this.#rows.map(({ fields }) => {
      const entry: Entry = {};
      for (const [name, { value, type }] of fields) {
        const isSet = type.value !== UNSET && value.value.trim() !== '';
        if (isSet) entry[name] = { value: value.value.trim(), type: type.value };
      }
      return entry;
    });
  }

  #add(entry: Entry): void {
    const row = document.createElement('div');
    row.className = 'alink-entry';
    this.#list.append(row);
    const inputs: Inputs = { row, fields: new Map() };
    this.#rows.push(inputs);
    for (const field of entryFields(this.operation)) this.#addField(inputs, field, entry[field.name]);
    if (!hasManyEntries(this.operation)) return;
    row.append(
      this.#button('fa-trash-o', 'action.remove', () => {
        row.remove();
        this.#rows.splice(this.#rows.indexOf(inputs), 1);
      }),
    );
  }

  #addField({ row, fields }: Inputs, field: Field, known: FieldValue | undefined): void {
    const line = document.createElement('div');
    line.className = 'form-row';
    const label = document.createElement('label');
    const value = document.createElement('input');
    const type = document.createElement('input');
    type.type = 'hidden';
    const name = text(TYPE, `parameter.${field.name}`);
    label.textContent = field.required && !AUTOMATIC.has(field.name) ? `${name} *` : name;
    label.title = field.name;
    value.setAttribute('aria-label', name);
    value.dataset.parameter = field.name;
    line.append(label, ' ', value, type);
    row.append(line);
    const types = typesOf(field);
    const first = types[0];
    const standard = typeof first === 'string' ? first : (first?.value ?? 'str');
    $(value).typedInput({ types, default: standard, typeField: type });
    $(value).typedInput('type', known?.type ?? standard);
    $(value).typedInput('value', known?.value ?? String(field.default ?? ''));
    fields.set(field.name, { value, type });
  }

  #button(icon: string, key: string, onClick: () => void): HTMLButtonElement {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'red-ui-button red-ui-button-small';
    const picture = document.createElement('i');
    picture.className = `fa ${icon}`;
    button.append(picture, ` ${text(TYPE, key)}`);
    button.addEventListener('click', onClick);
    return button;
  }
}

function typesOf({ type, values, required }: Field): ReadonlyArray<string | TypedInputType> {
  if (values !== undefined) {
    const options = [...(required ? [] : ['']), ...values.map(String)];
    const choice = {
      value: 'str',
      label: text(TYPE, 'choice'),

      showLabel: false,
      options,
    };
    return [choice, ...FROM_ELSEWHERE];
  }
  switch (type) {
    case 'number':
    case 'time':
      return ['num', ...FROM_ELSEWHERE];
    case 'boolean':
      return ['bool', ...FROM_ELSEWHERE];
    case 'object':
    case 'identity':
    case 'list':
      return required
        ? ['json', ...FROM_ELSEWHERE]
        : [{ value: UNSET, label: text(TYPE, 'unset'), hasValue: false }, 'json', ...FROM_ELSEWHERE];
    case 'bytes':
      return ['msg', 'flow', 'global', 'str', 'jsonata', 'env'];
    case 'any':
      return ['str', 'num', 'bool', 'json', ...FROM_ELSEWHERE];
    default:
      return ['str', ...FROM_ELSEWHERE];
  }
}
