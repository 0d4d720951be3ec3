import {
  prepareSubDevices,
  validGateway,
  validProductKey,
  validTimeout,
} from '../shared/editor/device-list-dialog';
import { Dialog } from '../shared/editor/dialog';
import { chooseMissing } from '../shared/editor/request-dialog';
import { text } from '../shared/editor/text';

const TYPE = 'alink-topo';

RED.nodes.registerType('alink-topo', {
  category: 'alink',
  color: '#F2A765',
  defaults: {
    name: { value: '' },
    device: { value: '', type: 'alink-device', required: true, validate: validGateway },
    action: { value: 'add' },
    value: { value: 'payload', validate: RED.validators.typedInput('valueType') },
    valueType: { value: 'msg' },
    productKey: { value: '', validate: validProductKey },
    handOut: { value: false },
    notify: { value: 'none' },
    timeout: { value: '', validate: validTimeout },
  },
  credentials: { productSecret: { type: 'password' } },
  inputs: 1,
  outputs: 1,
  icon: 'alink-topo.svg',
  label() {
    if (this.name) return String(this.name);
    return this.action ? text(TYPE, `action.${String(this.action)}`) : text(TYPE, 'label.palette');
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
    chooseMissing(dialog, { action: 'add', notify: 'none' });
    prepareSubDevices(dialog);
    dialog.watch(['action'], () => showAction(dialog));
    dialog.watch(['handOut'], () => {
      const handOut = dialog.field('handOut').checked;
      dialog.note('handOut', text(TYPE, handOut ? 'hint.handOut' : 'hint.keepSecret'));
    });
    dialog.watch(['notify'], () => dialog.note('notify', text(TYPE, `notifyNote.${dialog.value('notify')}`)));
    dialog.unfoldErrors();
  },
});

/** Explains the action and shows what it wants to know. */
function showAction(dialog: Dialog): void {
  const action = dialog.value('action');
  dialog.note('action', text(TYPE, `actionNote.${action}`));
  dialog.note('devices', action === 'get' ? '' : text(TYPE, `devices.${action}`));
  dialog.showFor('data-actions', action);
  for (const row of dialog.form.querySelectorAll<HTMLElement>('[data-row="devices"]')) {
    row.hidden = action === 'get';
  }
  // A node that adds what applications ask for has to hear of it.
  const none = dialog.find<HTMLOptionElement>('#node-input-notify option[value="none"]');
  none.hidden = action === 'handle';
  none.disabled = action === 'handle';
  if (action === 'handle' && dialog.value('notify') === 'none') dialog.set('notify', 'admit');
}
