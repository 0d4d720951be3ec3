import { Dialog } from '../shared/editor/dialog';
import { text } from '../shared/editor/text';
import { type Check, validator } from '../shared/editor/validate';

const TYPE = 'alink-service-reply';
const CODES = ['200', '400', '429', '460'];

// Codes that a device may answer with (C.1); only a fixed one can be checked here.
const codeCheck: Check = (value, { codeType }) => {
  if (codeType !== 'num' || value === '' || CODES.includes(value)) return undefined;
  const code = Number(value);
  const own = Number.isInteger(code) && code >= 100_000 && code <= 110_000;
  return own ? undefined : text(TYPE, 'validate.code');
};

RED.nodes.registerType('alink-service-reply', {
  category: 'alink',
  color: '#F2A765',
  defaults: {
    name: { value: '' },
    code: { value: '200', validate: validator(codeCheck) },
    codeType: { value: 'num' },
    message: { value: '', validate: RED.validators.typedInput('messageType') },
    messageType: { value: 'str' },
    value: { value: 'payload', validate: RED.validators.typedInput('valueType') },
    valueType: { value: 'msg' },
  },
  inputs: 1,
  outputs: 0,
  icon: 'alink-service-reply.svg',
  align: 'right',
  label() {
    if (this.name) return String(this.name);
    const own = this.codeType === 'num' && this.code !== '200' && this.code ? ` ${String(this.code)}` : '';
    return `${text(TYPE, 'label.palette')}${own}`;
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
  oneditprepare() {
    const dialog = new Dialog(this, 'node-input');
    const typedInputs = {
      code: ['num', 'msg', 'flow', 'global', 'jsonata', 'env'],
      message: ['str', 'msg', 'flow', 'global', 'jsonata', 'env'],
      value: ['msg', 'flow', 'global', 'json', 'jsonata', 'env'],
    };
    for (const [name, types] of Object.entries(typedInputs)) {
      const [first = 'msg'] = types;
      $(dialog.field(name)).typedInput({ types, default: first, typeField: dialog.field(`${name}Type`) });
    }
    dialog.watch(['code', 'codeType'], () => {
      const code = dialog.value('code');
      const fixed = dialog.value('codeType') === 'num' && CODES.includes(code);
      dialog.note('code', text(TYPE, fixed ? `code.${code}` : 'hint.code'));
    });
  },
});
