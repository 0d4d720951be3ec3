import type { Dialog } from '../shared/editor/dialog';
import { text } from '../shared/editor/text';
import { OF_SUB_DEVICES, TYPE } from './editor-fields';

/** Shows what belongs to the chosen role. */
export function prepareRole(dialog: Dialog): void {
  if (dialog.value('role') === '') dialog.set('role', 'device');
  prepareGateway(dialog);
  dialog.watch(['role'], () => {
    const role = dialog.value('role');
    dialog.showFor('data-roles', role);
    dialog.note('role', text(TYPE, `roleNote.${role}`));
    // Some browsers show hidden options of a list all the same.
    for (const option of dialog.form.querySelectorAll<HTMLOptionElement>('option[data-roles]')) {
      option.disabled = option.hasAttribute('hidden');
    }
    chooseAuthentication(dialog, role);
    if (role === 'subDevice' && dialog.node.role !== role) chooseOnlyGateway(dialog);
    // Whether these may be blank goes by the role.
    for (const name of ['platform', 'gateway']) $(dialog.field(name)).trigger('change');
  });
}

/** What the role has no use for is not saved, or exports would carry a reference that means nothing. */
export function forgetOtherRole(dialog: Dialog): void {
  const unused = dialog.value('role') === 'subDevice' ? 'platform' : 'gateway';
  dialog.set(unused, '_ADD_');
}

function chooseAuthentication(dialog: Dialog, role: string): void {
  const chosen = dialog.value('authentication');
  const fits =
    role === 'subDevice' ? OF_SUB_DEVICES.includes(chosen) : !/^(sub|product)Register$/.test(chosen);
  if (!fits) dialog.set('authentication', 'deviceSecret');
}

/**
 * The editor has made a list of gateways with buttons that open a dialog of the same type inside this one; their
 * fields would have the same ids, so the buttons go.
 */
function prepareGateway(dialog: Dialog): void {
  const { node } = dialog;
  const list = dialog.find<HTMLSelectElement>('#node-config-input-gateway');
  for (const button of list.parentElement?.querySelectorAll('a.red-ui-button') ?? []) button.remove();
  for (const option of [...list.options]) {
    if (option.value === node.id) option.remove();
    if (option.value === '_ADD_') option.textContent = text(TYPE, 'gateway.none');
  }
  keepChosen(list, String(node.gateway ?? ''));
  dialog.note('gateway', list.options.length > 1 ? '' : text(TYPE, 'hint.noGateway'));
}

/** Most plants have one gateway; whoever makes a sub-device now means that one. */
function chooseOnlyGateway(dialog: Dialog): void {
  const list = dialog.find<HTMLSelectElement>('#node-config-input-gateway');
  if (list.value !== '' && list.value !== '_ADD_') return;
  const [only, ...others] = [...list.options].filter(({ value }) => {
    const gateway = RED.nodes.node(value);
    return gateway !== null && gateway !== undefined && gateway.d !== true;
  });
  if (only && others.length === 0) list.value = only.value;
}

/** A wrong choice stays visible, with the reason beside it, until another is made. */
function keepChosen(list: HTMLSelectElement, chosen: string): void {
  const target = chosen === '' ? null : RED.nodes.node(chosen);
  if (target && ![...list.options].some(({ value }) => value === chosen)) {
    const option = document.createElement('option');
    option.value = chosen;
    option.textContent = String(target.name || target.deviceName || chosen);
    list.append(option);
  }
  if (target) list.value = chosen;
}
