export type DialogKind = 'node-input' | 'node-config-input';

// One form is open per node at most; after it was closed its fields are no longer in the document.
const owners = new WeakMap<Element, EditorNode>();

/** The form of one open dialog. Everything is found inside it, never in the page. */
export class Dialog {
  readonly form: HTMLElement;

  constructor(
    readonly node: EditorNode,
    private readonly kind: DialogKind,
  ) {
    const form = document.getElementById(`${kind}-name`)?.closest<HTMLElement>('.alink-form');
    if (!form) throw new Error(`no dialog of ${node.type} is open`);
    this.form = form;
    owners.set(form, node);
  }

  /** Input of a field. */
  field(name: string): HTMLInputElement {
    return this.find<HTMLInputElement>(`#${this.kind}-${name}`);
  }

  /** What the field holds now, without blanks around it. */
  value(name: string): string {
    return this.field(name).value.trim();
  }

  set(name: string, value: string): void {
    const field = this.field(name);
    field.value = value;
    $(field).trigger('change');
  }

  /** An element that the template surely has. */
  find<E extends HTMLElement>(selector: string): E {
    const element = this.form.querySelector<E>(selector);
    if (!element) throw new Error(`the dialog of ${this.node.type} has no ${selector}`);
    return element;
  }

  /** Calls back at once and whenever one of the fields changes. */
  watch(names: readonly string[], listener: () => void): void {
    for (const name of names) $(this.field(name)).on('change keyup paste input', listener);
    listener();
  }

  /** Shows the elements that name one of the given values in an attribute, hides the others. */
  showFor(attribute: string, value: string): void {
    for (const element of this.form.querySelectorAll<HTMLElement>(`[${attribute}]`)) {
      element.hidden = !(element.getAttribute(attribute) ?? '').split(' ').includes(value);
    }
  }

  /** Writes a note below a field; an empty one disappears. */
  note(name: string, message: string): void {
    const note = this.find(`[data-note="${name}"]`);
    note.textContent = message;
    note.hidden = message === '';
  }

  /** Unfolds what hides a wrong field, once the editor has checked the form. */
  unfoldErrors(): void {
    setTimeout(() => {
      for (const field of this.form.querySelectorAll('details .input-error')) {
        field.closest('details')?.setAttribute('open', '');
      }
    }, 0);
  }
}

/** A field of a node: from its dialog while that is open, else as saved. */
export function currentValue(node: EditorNode, kind: DialogKind, name: string): string {
  const field = document.getElementById(`${kind}-${name}`);
  const form = field?.closest('.alink-form');
  const isOpen = form !== null && form !== undefined && owners.get(form) === node;
  const value = isOpen && field !== null && 'value' in field ? field.value : node[name];
  return value === undefined || value === null ? '' : String(value).trim();
}

/** Fills a field from a file that the user chooses; larger ones are refused by doing nothing. */
export function loadFileInto(
  dialog: Dialog,
  button: HTMLElement,
  longest: number,
  take: (content: string) => void,
): void {
  button.addEventListener('click', () => {
    const chooser = document.createElement('input');
    chooser.type = 'file';
    chooser.addEventListener('change', () => {
      const file = chooser.files?.[0];
      if (!file || file.size > longest) return;
      file.text().then((content) => {
        if (dialog.form.isConnected) take(content);
      }, ignore);
    });
    chooser.click();
  });
}

// The file vanished between choosing and reading; the field stays as it was.
function ignore(): void {}
