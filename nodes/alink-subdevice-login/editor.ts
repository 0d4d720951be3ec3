import {
  prepareSubDevices,
  validGateway,
  validProductKey,
  validTimeout,
} from '../shared/editor/device-list-dialog';
import { Dialog } from '../shared/editor/dialog';
import { chooseMissing } from '../shared/editor/request-dialog';
import { text } from '../shared/editor/text';

const TYPE = 'alink-subdevice-login';

RED.nodes.registerType('alink-subdevice-login', {
  category: 'alink',
  color: '#F2A765',
  defaults: {
    name: { value: '' },
    device: { value: '', type: 'alink-device', required: true, validate: validGateway },
    action: { value: 'login' },
    value: { value: 'payload', validate: RED.validators.typedInput('valueType') },
    valueType: { value: 'msg' },
    productKey: { value: '', validate: validProductKey },
    store: { value: false },
    timeout: { value: '', validate: validTimeout },
  },
  inputs: 1,
  outputs: 1,
  icon: 'alink-subdevice-login.svg',
  label() {
    if (this.name) return String(this.name);
    return text(TYPE, this.action === 'logout' ? 'label.logout' : 'label.login');
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
    chooseMissing(dialog, { action: 'login' });
    prepareSubDevices(dialog);
    dialog.watch(['action'], () => {
      const action = dialog.value('action');
      dialog.note('action', text(TYPE, `actionNote.${action}`));
      dialog.note('devices', text(TYPE, `devices.${action}`));
      dialog.showFor('data-actions', action);
    });
    dialog.watch(['store'], () => {
      dialog.note('store', text(TYPE, dialog.field('store').checked ? 'hint.store' : 'hint.forget'));
    });
    dialog.unfoldErrors();
  },
});
