import { Dialog } from '../shared/editor/dialog';
import { validModule } from '../shared/editor/firmware-fields';
import { chooseMissing, validDevice } from '../shared/editor/request-dialog';
import { text } from '../shared/editor/text';

const TYPE = 'alink-ota-progress';
const VALUE_TYPES = ['msg', 'flow', 'global', 'str', 'num', 'json', 'jsonata', 'env'];
/** What a new choice of action reads, as long as nobody wrote another. */
const USUAL: Readonly<Record<string, string>> = {
  version: 'payload.version',
  progress: 'payload',
  message: 'payload',
};

RED.nodes.registerType('alink-ota-progress', {
  category: 'alink',
  color: '#F2A765',
  defaults: {
    name: { value: '' },
    device: { value: '', type: 'alink-device', required: true, validate: validDevice },
    action: { value: 'version' },
    value: { value: 'payload.version', validate: RED.validators.typedInput('valueType') },
    valueType: { value: 'msg' },
    step: { value: '-1' },
    description: { value: '', validate: RED.validators.typedInput('descriptionType') },
    descriptionType: { value: 'none' },
    module: { value: '', validate: validModule },
  },
  inputs: 1,
  outputs: 1,
  icon: 'alink-ota-progress.svg',
  label() {
    if (this.name) return String(this.name);
    return this.action ? text(TYPE, `action.${String(this.action)}`) : text(TYPE, 'label.palette');
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
    chooseMissing(dialog, { action: 'version', step: '-1' });
    const value = $(dialog.field('value'));
    value.typedInput({ types: VALUE_TYPES, default: 'msg', typeField: dialog.field('valueType') });
    $(dialog.field('description')).typedInput({
      types: [
        { value: 'none', label: text(TYPE, 'description.none'), hasValue: false },
        'str',
        'msg',
        'flow',
        'global',
        'jsonata',
        'env',
      ],
      default: 'none',
      typeField: dialog.field('descriptionType'),
    });
    let before = dialog.value('action');
    dialog.watch(['action'], () => {
      const action = dialog.value('action');
      const usual = USUAL[action];
      const isUntouched = dialog.value('valueType') === 'msg' && dialog.value('value') === USUAL[before];
      if (action !== before && usual !== undefined && isUntouched) value.typedInput('value', usual);
      if (usual !== undefined) before = action;
      dialog.note('action', text(TYPE, `actionNote.${action}`));
      dialog.showFor('data-actions', action);
      dialog.find('[data-role="value"]').textContent = text(
        TYPE,
        `label.${action === 'failure' ? 'version' : action}`,
      );
    });
    dialog.unfoldErrors();
  },
});
