import {
  prepareReportDialog,
  validDevice,
  validIdentifier,
  validPackWindow,
  validTimeout,
} from '../shared/editor/report-dialog';
import { text } from '../shared/editor/text';

const TYPE = 'alink-property-post';

RED.nodes.registerType('alink-property-post', {
  category: 'alink',
  color: '#F2A765',
  defaults: {
    name: { value: '' },
    device: { value: '', type: 'alink-device', required: true, validate: validDevice },
    identifier: { value: '', validate: validIdentifier },
    value: { value: 'payload', validate: RED.validators.typedInput('valueType') },
    valueType: { value: 'msg' },
    time: { value: '', validate: RED.validators.typedInput('timeType') },
    timeType: { value: 'none' },
    timeout: { value: '', validate: validTimeout },
    packWindow: { value: '', validate: validPackWindow },
  },
  inputs: 1,
  outputs: 1,
  icon: 'alink-property-post.svg',
  label() {
    if (this.name) return String(this.name);
    return this.identifier ? String(this.identifier) : text(TYPE, 'label.palette');
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
    const dialog = prepareReportDialog(this, 'properties');
    dialog.watch(['identifier'], () => {
      const key = dialog.value('identifier') === '' ? 'hint.valueOfAll' : 'hint.valueOfOne';
      dialog.note('value', text(TYPE, key));
    });
  },
});
