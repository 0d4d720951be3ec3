import type { TopicSource } from '../../protocol/own-topics';
import { currentValue, Dialog } from '../shared/editor/dialog';
import { watchGateway } from '../shared/editor/gateway-rows';
import { text } from '../shared/editor/text';
import { type TopicUse, topicValidator, watchTopic } from '../shared/editor/topic-dialog';
import { numberCheck, referenceCheck, validator } from '../shared/editor/validate';

const TYPE = 'alink-topic-in';

const TOPIC: TopicUse = {
  source: (node) => toSource(currentValue(node, 'node-input', 'source')),
  use: 'filter',
  mayBeBlank: (source) => source !== 'topic',
};

RED.nodes.registerType('alink-topic-in', {
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
    source: { value: 'topic' },
    topic: { value: '', validate: topicValidator(TOPIC) },
    qos: { value: '1' },
    output: { value: 'auto' },
    timeLimit: { value: '', validate: validator(numberCheck(0.1, 3600, { integer: false })) },
    subDevices: { value: false },
  },
  inputs: 0,
  outputs: 1,
  icon: 'alink-topic-in.svg',
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
  outputLabels() {
    return text(TYPE, 'label.outputPort');
  },
  oneditprepare() {
    const dialog = new Dialog(this, 'node-input');
    watchTopic(dialog, TOPIC, ['source'], () => text(TYPE, `blank.${toSource(dialog.value('source'))}`));
    dialog.watch(['source'], () => dialog.showFor('data-sources', toSource(dialog.value('source'))));
    dialog.watch(['output'], () => dialog.note('output', text(TYPE, `outputNote.${dialog.value('output')}`)));
    watchGateway(dialog, {
      fields: ['source', 'topic'],
      alsoNeeded: () => servesSubDevices(toSource(dialog.value('source')), dialog.value('topic')),
    });
    dialog.unfoldErrors();
  },
});

function toSource(value: string): TopicSource {
  return value === 'broadcast' || value === 'rrpc' ? value : 'topic';
}

// Broadcasts go to a product, and a call's own topic need not say whom it is for.
function servesSubDevices(source: TopicSource, topic: string): boolean {
  return source === 'topic' || (source === 'rrpc' && topic === '');
}
