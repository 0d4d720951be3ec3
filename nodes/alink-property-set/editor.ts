import { Dialog } from '../shared/editor/dialog';
import { watchGateway } from '../shared/editor/gateway-rows';
import { chooseMissing, validDevice, validTimeLimit, watchReply } from '../shared/editor/request-dialog';
import { text } from '../shared/editor/text';

const TYPE = 'alink-property-set';

RED.nodes.registerType('alink-property-set', {
  category: 'alink',
  color: '#F2A765',
  defaults: {
    name: { value: '' },
    device: { value: '', type: 'alink-device', required: true, validate: validDevice },
    reply: { value: 'now' },
    timeLimit: { value: '5', validate: validTimeLimit },
    get: { value: 'reported' },
    unknown: { value: 'refuse' },
    output: { value: 'object' },
    desired: { value: false },
    subDevices: { value: false },
  },
  inputs: 0,
  outputs: 1,
  icon: 'alink-property-set.svg',
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
    return text(TYPE, 'label.port');
  },
  oneditprepare() {
    const dialog = new Dialog(this, 'node-input');
    chooseMissing(dialog, { reply: 'now', get: 'reported', unknown: 'refuse', output: 'object' });
    watchReply(
      dialog,
      { now: text(TYPE, 'hint.replyNow'), flow: text(TYPE, 'hint.replyFlow') },
      { fields: ['get'], byFlow: () => dialog.value('get') === 'flow' },
    );
    // A reply node answers once, so it needs all properties of a request in one message.
    dialog.watch(['reply'], () => {
      dialog.find('[data-row="output"]').hidden = dialog.value('reply') === 'flow';
    });
    for (const name of ['get', 'unknown', 'output']) {
      dialog.watch([name], () => dialog.note(name, text(TYPE, `hint.${name}.${dialog.value(name)}`)));
    }
    watchGateway(dialog);
    dialog.unfoldErrors();
  },
});
