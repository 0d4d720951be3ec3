import { Dialog } from '../shared/editor/dialog';
import { text } from '../shared/editor/text';
import { referenceCheck, validator } from '../shared/editor/validate';

const TYPE = 'alink-lifecycle';
const EVENTS = ['own', 'subDevices', 'notices'] as const;

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
    own: { value: true },
    subDevices: { value: true },
    notices: { value: true },
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
  oneditprepare() {
    const dialog = new Dialog(this, 'node-input');
    // Flows from before there were gateways: the runtime takes them for this too.
    if (this.own === undefined) dialog.field('own').checked = true;
    dialog.watch(['device'], () => {
      const role = RED.nodes.node(dialog.value('device'))?.role;
      dialog.showFor('data-roles', typeof role === 'string' ? role : 'device');
    });
    dialog.watch(EVENTS, () => {
      const chosen = EVENTS.some((name) => dialog.field(name).checked);
      dialog.note('nothing', chosen ? '' : text(TYPE, 'hint.nothing'));
    });
  },
});
