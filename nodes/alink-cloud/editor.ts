import { CLOUD_ACTIONS, cloudAction } from '../../protocol/cloud-actions';
import { Dialog } from '../shared/editor/dialog';
import { suggest } from '../shared/editor/suggest';
import { text } from '../shared/editor/text';
import { type Check, numberCheck, referenceCheck, validator } from '../shared/editor/validate';

const TYPE = 'alink-cloud';
const VALUE_TYPES = ['msg', 'flow', 'global', 'str', 'num', 'bool', 'json', 'bin', 'date', 'jsonata', 'env'];
const PARAMETER_TYPES = ['json', 'msg', 'flow', 'global', 'jsonata'];
const FIELDS = ['identifier', 'topic', 'qos', 'value', 'timeout'] as const;

const actionName: Check = (value) =>
  /^[A-Za-z]\w{1,63}$/.test(value) ? undefined : text(TYPE, 'validate.action');
/** The device may come with the message instead. */
const deviceIfAny: Check = (value, node) =>
  value === '' || value === '_ADD_' ? undefined : referenceCheck('device')(value, node);

RED.nodes.registerType('alink-cloud', {
  category: 'alink',
  color: '#8EB9E6',
  defaults: {
    name: { value: '' },
    platform: {
      value: '',
      type: 'alink-platform',
      required: true,
      validate: validator(referenceCheck('platform')),
    },
    device: { value: '', type: 'alink-device', required: false, validate: validator(deviceIfAny) },
    action: { value: 'SetDeviceProperty', required: true, validate: validator(actionName) },
    identifier: { value: '' },
    topic: { value: '' },
    qos: { value: '1' },
    timeout: { value: '', validate: validator(numberCheck(1, 8, { integer: false })) },
    value: { value: 'payload', validate: RED.validators.typedInput('valueType') },
    valueType: { value: 'msg' },
    parameters: { value: '{}', validate: RED.validators.typedInput('parametersType') },
    parametersType: { value: 'json' },
  },
  inputs: 1,
  outputs: 1,
  icon: 'alink-cloud.svg',
  label() {
    return this.name ? String(this.name) : String(this.action || text(TYPE, 'label.palette'));
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
    $(dialog.field('parameters')).typedInput({
      types: PARAMETER_TYPES,
      default: 'json',
      typeField: dialog.field('parametersType'),
    });
    suggest(dialog.field('action'), () =>
      CLOUD_ACTIONS.map(({ name, group }) => ({
        value: name,
        name: `${text(TYPE, `group.${group}`)} · ${text(TYPE, `action.${name}`)}`,
      })),
    );
    dialog.watch(['action'], () => showFields(dialog));
    dialog.unfoldErrors();
  },
});

/** Shows the fields that the action has, with what goes into them. */
function showFields(dialog: Dialog): void {
  const name = dialog.value('action');
  const known = CLOUD_ACTIONS.some((action) => action.name === name);
  const { fields, identifier, history } = cloudAction(name);
  for (const field of FIELDS) {
    dialog.find(`[data-fields="${field}"]`).hidden = !fields.includes(field);
  }
  dialog.note('action', text(TYPE, known ? `action.${name}` : 'hint.anyAction'));
  const blank = identifier?.needed ? 'placeholder.identifier' : 'placeholder.filter';
  dialog.field('identifier').placeholder = text(TYPE, blank);
  dialog.note('identifier', history ? text(TYPE, 'hint.history') : '');
  dialog.note('value', known && fields.includes('value') ? text(TYPE, `value.${name}`) : '');
  dialog.note('topic', known && fields.includes('topic') ? text(TYPE, `topic.${name}`) : '');
}
