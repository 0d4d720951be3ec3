import { Dialog } from '../shared/editor/dialog';
import { validModule } from '../shared/editor/firmware-fields';
import { watchGateway } from '../shared/editor/gateway-rows';
import { chooseMissing, validDevice } from '../shared/editor/request-dialog';
import { text } from '../shared/editor/text';
import { hostsCheck, numberCheck, validator } from '../shared/editor/validate';

const TYPE = 'alink-ota-in';

/** Custom types: the editor checks only those that it knows. */
const versionCheck: FieldValidator = function (this: EditorNode, value, options): true | string {
  const type = String(this.versionType ?? 'none');
  if (['none', 'remembered'].includes(type)) return true;
  if (String(value ?? '').trim() === '') return text(TYPE, 'validate.version');
  if (type === 'file') return true;
  return RED.validators.typedInput('versionType').call(this, value, options);
};

RED.nodes.registerType('alink-ota-in', {
  category: 'alink',
  color: '#F2A765',
  defaults: {
    name: { value: '' },
    device: { value: '', type: 'alink-device', required: true, validate: validDevice },
    module: { value: '', validate: validModule },
    work: { value: 'download' },
    folder: { value: '' },
    mostMegabytes: { value: '', validate: validator(numberCheck(0.001, 1_000_000, { integer: false })) },
    hosts: { value: '', validate: validator(hostsCheck) },
    keep: { value: '1', validate: validator(numberCheck(0, 100, { integer: true })) },
    attempts: { value: '3', validate: validator(numberCheck(1, 100, { integer: true })) },
    askOnStart: { value: true },
    askBy: { value: 'get' },
    version: { value: '', validate: versionCheck },
    versionType: { value: 'remembered' },
    progressMessages: { value: false },
    subDevices: { value: false },
  },
  inputs: 1,
  outputs: 1,
  icon: 'alink-ota-in.svg',
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
    return text(TYPE, 'label.output');
  },
  oneditprepare() {
    const dialog = new Dialog(this, 'node-input');
    chooseMissing(dialog, { work: 'download', askBy: 'get', versionType: 'none' });
    $(dialog.field('version')).typedInput({
      types: [
        { value: 'remembered', label: text(TYPE, 'version.remembered'), icon: 'fa fa-history' },
        'str',
        'env',
        { value: 'file', label: text(TYPE, 'version.file'), icon: 'fa fa-file-text-o' },
        'flow',
        'global',
        'jsonata',
        { value: 'none', label: text(TYPE, 'version.none'), hasValue: false },
      ],
      default: 'none',
      typeField: dialog.field('versionType'),
    });
    dialog.watch(['version', 'versionType'], () => {
      const type = dialog.value('versionType');
      const explained = ['remembered', 'file', 'none'].includes(type) ? type : 'other';
      dialog.note('version', text(TYPE, `versionNote.${explained}`));
    });
    dialog.watch(['work'], () => {
      dialog.note('work', text(TYPE, `workNote.${dialog.value('work')}`));
      dialog.showFor('data-works', dialog.value('work'));
    });
    dialog.watch(['askBy'], () => dialog.note('askBy', text(TYPE, `askByNote.${dialog.value('askBy')}`)));
    watchGateway(dialog);
    dialog.unfoldErrors();
  },
});
