import { Dialog } from '../shared/editor/dialog';
import { watchGateway } from '../shared/editor/gateway-rows';
import { text } from '../shared/editor/text';
import { numberCheck, referenceCheck, validator } from '../shared/editor/validate';

const TYPE = 'alink-raw-in';

RED.nodes.registerType('alink-raw-in', {
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
    reply: { value: 'flow' },
    timeLimit: { value: '', validate: validator(numberCheck(0.1, 3600, { integer: false })) },
    subDevices: { value: false },
  },
  inputs: 0,
  outputs: 1,
  icon: 'alink-raw-in.svg',
  label() {
    if (this.name) return String(this.name);
    return text(TYPE, 'label.palette');
  },
  paletteLabel() {
    return text(TYPE, 'label.palette');
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : '';
  },
  outputLabels() {
    return text(TYPE, 'label.output');
  },
  oneditprepare() {
    const dialog = new Dialog(this, 'node-input');
    dialog.watch(['reply'], () => {
      const reply = dialog.value('reply');
      dialog.note('reply', text(TYPE, `replyNote.${reply}`));
      dialog.showFor('data-replies', reply);
    });
    watchGateway(dialog);
    dialog.unfoldErrors();
  },
});
