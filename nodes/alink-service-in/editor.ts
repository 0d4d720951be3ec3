import { Dialog } from '../shared/editor/dialog';
import { watchGateway } from '../shared/editor/gateway-rows';
import { chooseMissing, validDevice, validTimeLimit, watchReply } from '../shared/editor/request-dialog';
import { type KnownIdentifier, suggestIdentifiers } from '../shared/editor/suggest-identifiers';
import { text } from '../shared/editor/text';
import { identifierCheck, validator } from '../shared/editor/validate';

const TYPE = 'alink-service-in';

RED.nodes.registerType('alink-service-in', {
  category: 'alink',
  color: '#F2A765',
  defaults: {
    name: { value: '' },
    device: { value: '', type: 'alink-device', required: true, validate: validDevice },
    identifier: { value: '', validate: validator(identifierCheck) },
    reply: { value: 'flow' },
    timeLimit: { value: '5', validate: validTimeLimit },
    subDevices: { value: false },
  },
  inputs: 0,
  outputs: 1,
  icon: 'alink-service-in.svg',
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
  outputLabels() {
    return text(TYPE, 'label.output');
  },
  oneditprepare() {
    const dialog = new Dialog(this, 'node-input');
    let known: readonly KnownIdentifier[] = [];
    const describe = () => {
      const identifier = dialog.value('identifier');
      const service = known.find(({ value }) => value === identifier);
      const values = { inputs: service?.inputs || '–', outputs: service?.outputs || '–' };
      const isForeign = known.length > 0 && identifier !== '' && !identifier.includes('${');
      const otherwise = isForeign ? text(TYPE, 'hint.unknown') : '';
      dialog.note('identifier', service === undefined ? otherwise : text(TYPE, 'hint.parameters', values));
    };
    suggestIdentifiers(dialog, 'services', (entries) => {
      known = entries;
      describe();
    });
    dialog.watch(['identifier'], describe);
    chooseMissing(dialog, { reply: 'flow' });
    watchReply(dialog, { now: text(TYPE, 'hint.replyNow'), flow: text(TYPE, 'hint.replyFlow') });
    watchGateway(dialog);
    dialog.unfoldErrors();
  },
});
