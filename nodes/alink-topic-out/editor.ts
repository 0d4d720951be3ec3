import { Dialog } from '../shared/editor/dialog';
import { text } from '../shared/editor/text';
import { type TopicUse, topicValidator, watchTopic } from '../shared/editor/topic-dialog';
import { numberCheck, referenceCheck, validator } from '../shared/editor/validate';

const TYPE = 'alink-topic-out';
const TOPIC: TopicUse = { source: () => 'topic', use: 'publish', mayBeBlank: () => true };
const VALUE_TYPES = ['msg', 'flow', 'global', 'str', 'num', 'bool', 'json', 'bin', 'date', 'jsonata', 'env'];

RED.nodes.registerType('alink-topic-out', {
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
    topic: { value: '', validate: topicValidator(TOPIC) },
    qos: { value: '1' },
    value: { value: 'payload', validate: RED.validators.typedInput('valueType') },
    valueType: { value: 'msg' },
    format: { value: 'auto' },
    timeout: { value: '', validate: validator(numberCheck(1, 3600, { integer: false })) },
  },
  inputs: 1,
  outputs: 1,
  icon: 'alink-topic-out.svg',
  label() {
    if (this.name) return String(this.name);
    return String(this.topic || text(TYPE, 'label.palette'));
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
    watchTopic(dialog, TOPIC, [], () => text(TYPE, 'blank.topic'));
    dialog.watch(['qos'], () => dialog.note('qos', text(TYPE, `qosNote.${dialog.value('qos')}`)));
    dialog.watch(['format'], () => dialog.note('format', text(TYPE, `formatNote.${dialog.value('format')}`)));
    dialog.unfoldErrors();
  },
});
