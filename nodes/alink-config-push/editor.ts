import { Dialog } from '../shared/editor/dialog';
import { chooseMissing, validDevice, validTimeLimit, watchReply } from '../shared/editor/request-dialog';
import { text } from '../shared/editor/text';
import { hostsCheck, numberCheck, validator } from '../shared/editor/validate';

const TYPE = 'alink-config-push';

RED.nodes.registerType('alink-config-push', {
  category: 'alink',
  color: '#F2A765',
  defaults: {
    name: { value: '' },
    device: { value: '', type: 'alink-device', required: true, validate: validDevice },
    output: { value: 'configuration' },
    reply: { value: 'now' },
    timeLimit: { value: '5', validate: validTimeLimit },
    guarded: { value: false },
    guardTime: { value: '', validate: validator(numberCheck(0.05, 1440, { integer: false })) },
    ask: { value: true },
    mostSize: { value: '', validate: validator(numberCheck(1, 16384, { integer: false })) },
    hosts: { value: '', validate: validator(hostsCheck) },
    passwords: { value: false },
    flowAs: { value: 'array' },
  },
  inputs: 1,
  outputs: 1,
  icon: 'alink-config-push.svg',
  label() {
    return this.name ? String(this.name) : text(TYPE, 'label.palette');
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
    return text(TYPE, 'label.port');
  },
  oneditprepare() {
    const dialog = new Dialog(this, 'node-input');
    chooseMissing(dialog, { output: 'configuration', reply: 'now', flowAs: 'array' });
    watchReply(dialog, { now: text(TYPE, 'hint.replyNow'), flow: text(TYPE, 'hint.replyFlow') });
    dialog.watch(['guarded'], () => {
      dialog.find('[data-row="guardTime"]').hidden = !dialog.field('guarded').checked;
    });
    dialog.watch(['output'], () => {
      const output = dialog.value('output');
      const isModel = output !== 'configuration';
      dialog.showFor('data-kinds', output);
      dialog.note('output', text(TYPE, `hint.output.${output}`));
      dialog.find('[data-role="ask"]').textContent = text(TYPE, isModel ? 'label.askModel' : 'label.ask');
      dialog.note('ask', text(TYPE, isModel ? 'hint.askModel' : 'hint.ask'));
      dialog.field('mostSize').placeholder = isModel ? '8192' : '64';
    });
    dialog.watch(['device', 'output'], () => {
      const device = RED.nodes.node(dialog.value('device'));
      const isWrong = device && dialog.value('output') !== 'configuration' && device.role !== 'gateway';
      dialog.note('device', isWrong ? text(TYPE, 'hint.notGateway') : '');
    });
    dialog.unfoldErrors();
  },
});
