export interface Suggestion {
  value: string;
  /** What people call it, shown behind the value. */
  name: string;
}

/** Offers values for a text field that takes any text; also on a click, so that one sees what there is. */
export function suggest(field: HTMLInputElement, entries: () => readonly Suggestion[]): void {
  $(field).autoComplete({ minLength: 0, search: (typed) => matching(entries(), typed).map(toEntry) });
  field.addEventListener('click', () => $(field).trigger('keyup'));
}

function matching(entries: readonly Suggestion[], typed: string): readonly Suggestion[] {
  const wanted = typed.trim().toLowerCase();
  // A field that holds one of the values is most likely clicked to choose another.
  if (wanted === '' || entries.some(({ value }) => value.toLowerCase() === wanted)) return entries;
  return entries.filter(({ value, name }) => `${value} ${name}`.toLowerCase().includes(wanted));
}

function toEntry({ value, name }: Suggestion): AutoCompleteEntry {
  const label = document.createElement('span');
  label.className = 'alink-suggestion';
  const code = document.createElement('b');
  code.textContent = value;
  label.append(code, name === '' ? '' : ` ${name}`);
  return { value, label: $(label) };
}
