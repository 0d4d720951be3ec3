import { text } from '../shared/editor/text';
import { referenceCheck, validator } from '../shared/editor/validate';

const TYPE = 'alink-lifecycle';

RED.nodes.registerType('alink-lifecycle', {
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
    initial: { value: true },
  },
  inputs: 0,
  outputs: 1,
  icon: 'alink-lifecycle.svg',
  label() {
    return this.name ? String(this.name) : text(TYPE, 'label.palette');
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
});
