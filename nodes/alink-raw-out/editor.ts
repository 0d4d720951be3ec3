import { Dialog } from '../shared/editor/dialog';
import { text } from '../shared/editor/text';
import { numberCheck, referenceCheck, validator } from '../shared/editor/validate';

const TYPE = 'alink-raw-out';
const VALUE_TYPES = ['msg', 'flow', 'global', 'str', 'json', 'bin', 'jsonata', 'env'];

RED.nodes.registerType('alink-raw-out', {
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
    value: { value: 'payload', validate: RED.validators.typedInput('valueType') },
    valueType: { value: 'msg' },
    text: { value: 'hex' },
    timeout: { value: '', validate: validator(numberCheck(1, 3600, { integer: false })) },
  },
  inputs: 1,
  outputs: 1,
  icon: 'alink-raw-out.svg',
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
  inputLabels() {
    return text(TYPE, 'label.input');
  },
  outputLabels() {
    return text(TYPE, 'label.output');
  },
  oneditprepare() {
    const dialog = new Dialog(this, 'node-input');
    $(dialog.field('value')).typedInput({
      types: VALUE_TYPES,
      default: 'msg',
      typeField: dialog.field('valueType'),
    });
    dialog.watch(['text'], () => dialog.note('text', text(TYPE, `textNote.${dialog.value('text')}`)));
    dialog.unfoldErrors();
  },
});
