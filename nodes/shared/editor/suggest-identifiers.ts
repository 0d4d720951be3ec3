import type { Dialog } from './dialog';
import { type Suggestion, suggest } from './suggest';

/** A part of the thing model. */
export type IdentifierList = 'properties' | 'events' | 'services';

/** An entry of the thing model as the runtime tells it; a service also has its parameters as text. */
export interface KnownIdentifier extends Suggestion {
  inputs?: string;
  outputs?: string;
}

/**
 * Offers the identifiers of the chosen device's thing model in the field `identifier`.
 * @param onKnown told whenever another list is known, an empty one too
 */
export function suggestIdentifiers(
  dialog: Dialog,
  list: IdentifierList,
  onKnown: (known: readonly KnownIdentifier[]) => void = () => undefined,
): void {
  let known: KnownIdentifier[] = [];
  let asked = '';
  const learn = (entries: KnownIdentifier[]) => {
    known = entries;
    onKnown(known);
  };
  suggest(dialog.field('identifier'), () => known);
  dialog.watch(['device'], () => {
    const device = dialog.value('device');
    if (device === asked) return;
    asked = device;
    learn([]);
    if (device === '' || device === '_ADD_') return;
    $.getJSON(`alink-device/${encodeURIComponent(device)}/thing-model`)
      .done((answer) => {
        if (device === asked && dialog.form.isConnected) learn(readEntries(answer, list));
      })
      // Not deployed yet, or not allowed: the field takes any text all the same.
      .fail(() => undefined);
  });
}

function readEntries(answer: unknown, list: IdentifierList): KnownIdentifier[] {
  return entriesOf(answer, list).flatMap(({ identifier, name, type, callType, inputs, outputs }) => {
    if (typeof identifier !== 'string') return [];
    const words = [name, type, callType].filter((word) => typeof word === 'string' && word !== '');
    const entry = { value: identifier, name: words.join(' · ') };
    return [list === 'services' ? { ...entry, inputs: members(inputs), outputs: members(outputs) } : entry];
  });
}

function members(list: unknown): string {
  return entriesOf({ list }, 'list')
    .map(({ identifier, type }) => `${String(identifier)} (${String(type)})`)
    .join(', ');
}

function entriesOf(holder: unknown, list: string): Array<Record<string, unknown>> {
  const entries: unknown =
    typeof holder === 'object' && holder !== null ? Reflect.get(holder, list) : undefined;
  if (!Array.isArray(entries)) return [];
  return entries.filter(isRecord);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
