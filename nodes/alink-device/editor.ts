import { Dialog, loadFileInto } from '../shared/editor/dialog';
import { text } from '../shared/editor/text';
import { identityCheck, validator } from '../shared/editor/validate';
import { preparePaste } from './editor-certificate';
import {
  clientIdCheck,
  countModel,
  deviceNameCheck,
  gatewayCheck,
  KIND,
  keepAliveCheck,
  loginBatchCheck,
  loginsPerSecondCheck,
  platformCheck,
  portCheck,
  secretCheck,
  TYPE,
  thingModelCheck,
  timeoutCheck,
  WITH_PRODUCT_SECRET,
} from './editor-fields';
import { preparePreview } from './editor-preview';
import { forgetOtherRole, prepareRole } from './editor-role';

const LONGEST_MODEL = 1024 * 1024;
const MACHINE_NAMES = ['mac', 'hostname', 'serial'];

RED.nodes.registerType('alink-device', {
  category: 'config',
  // Sub-devices are served by their gateway's nodes, often without a node that names them: the editor must not offer
  // to delete them as unused, and exports them with the flow that they belong to.
  hasUsers: false,
  defaults: {
    name: { value: '' },
    role: { value: 'device' },
    platform: { value: '', type: 'alink-platform', validate: validator(platformCheck) },
    gateway: {
      value: '',
      type: 'alink-device',
      filter: ({ role }) => role === 'gateway',
      validate: validator(gatewayCheck),
    },
    productKey: { value: '', validate: validator(identityCheck) },
    deviceName: { value: '', validate: validator(deviceNameCheck) },
    deviceNameFrom: { value: 'text' },
    authentication: { value: 'deviceSecret' },
    transport: { value: 'tls' },
    port: { value: '', validate: validator(portCheck) },
    signMethod: { value: 'hmacsha256' },
    clientId: { value: '', validate: validator(clientIdCheck) },
    keepAlive: { value: '300', validate: validator(keepAliveCheck) },
    cleanSession: { value: false },
    correctTime: { value: false },
    requestTimeout: { value: '10', validate: validator(timeoutCheck) },
    thingModelMode: { value: 'off' },
    thingModelSource: { value: 'none' },
    thingModel: { value: '', validate: validator(thingModelCheck) },
    loginsPerSecond: { value: '', validate: validator(loginsPerSecondCheck) },
    loginBatch: { value: '', validate: validator(loginBatchCheck) },
    subscribeEach: { value: false },
  },
  credentials: {
    deviceSecret: { type: 'password', validate: validator(secretCheck) },
    productSecret: { type: 'password', validate: validator(secretCheck) },
  },
  label() {
    if (this.name) return String(this.name);
    const from = String(this.deviceNameFrom ?? 'text');
    const deviceName = MACHINE_NAMES.includes(from)
      ? text(TYPE, `nameFrom.${from}`)
      : String(this.deviceName ?? '');
    return deviceName === '' ? text(TYPE, 'label.type') : `${deviceName} (${this.productKey})`;
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : '';
  },
  oneditprepare() {
    const dialog = new Dialog(this, KIND);
    prepareRole(dialog);
    const machineName = prepareDeviceName(dialog);
    preparePaste(dialog);
    prepareAuthentication(dialog);
    prepareThingModel(dialog);
    const refresh = preparePreview(dialog, () => machineName.known);
    machineName.changed = refresh;
    dialog.unfoldErrors();
  },
  oneditsave() {
    forgetOtherRole(new Dialog(this, KIND));
  },
});

interface MachineName {
  /** Empty until the runtime has answered, or when the machine has no such name. */
  known: string;
  changed: () => void;
}

function prepareDeviceName(dialog: Dialog): MachineName {
  const machine: MachineName = { known: '', changed: () => undefined };
  $(dialog.field('deviceName')).typedInput({
    types: [
      { value: 'text', label: text(TYPE, 'nameFrom.text'), icon: 'fa fa-pencil' },
      ...MACHINE_NAMES.map((value) => ({ value, label: text(TYPE, `nameFrom.${value}`), hasValue: false })),
    ],
    default: 'text',
    typeField: dialog.field('deviceNameFrom'),
  });
  let asked = '';
  dialog.watch(['deviceName', 'deviceNameFrom'], () => {
    const from = dialog.value('deviceNameFrom');
    if (from === asked) return;
    asked = from;
    machine.known = '';
    machine.changed();
    dialog.note(
      'deviceName',
      text(TYPE, MACHINE_NAMES.includes(from) ? 'hint.machineName' : 'hint.deviceName'),
    );
    if (!MACHINE_NAMES.includes(from)) return;
    $.getJSON(`alink-device/machine-name/${encodeURIComponent(from)}`)
      .done((answer) => {
        if (from !== asked || !dialog.form.isConnected) return;
        const name: unknown =
          typeof answer === 'object' && answer !== null ? Reflect.get(answer, 'deviceName') : '';
        machine.known = typeof name === 'string' ? name : '';
        const key = machine.known === '' ? 'hint.machineNameNone' : 'hint.machineNameHere';
        dialog.note('deviceName', text(TYPE, key, { name: machine.known }));
        machine.changed();
      })
      // The name is found at run time all the same; the note says so already.
      .fail(() => undefined);
  });
  return machine;
}

function prepareAuthentication(dialog: Dialog): void {
  dialog.watch(['authentication', 'platform', 'role', 'gateway'], () => {
    const authentication = dialog.value('authentication');
    const isEmulator = RED.nodes.node(platformOf(dialog))?.kind === 'emulator';
    dialog.showFor('data-secret', secretFor(authentication));
    dialog.note('authentication', text(TYPE, `authenticationNote.${authentication}`));
    dialog.note('deviceSecret', isEmulator ? text(TYPE, 'hint.emulatorSecret') : '');
    dialog.note('transport', isEmulator ? text(TYPE, 'hint.emulatorTransport') : '');
  });
}

/** A sub-device is where its gateway is. */
function platformOf(dialog: Dialog): string {
  if (dialog.value('role') !== 'subDevice') return dialog.value('platform');
  return String(RED.nodes.node(dialog.value('gateway'))?.platform ?? '');
}

function secretFor(authentication: string): 'product' | 'device' | 'none' {
  if (authentication === 'subRegister') return 'none';
  return WITH_PRODUCT_SECRET.includes(authentication) ? 'product' : 'device';
}

function prepareThingModel(dialog: Dialog): void {
  const model = dialog.field('thingModel');
  $(model).typedInput({ types: ['json'] });
  loadFileInto(dialog, dialog.find('[data-action="load-model"]'), LONGEST_MODEL, (content) =>
    $(model).typedInput('value', content.trim()),
  );
  let source = dialog.value('thingModelSource');
  dialog.watch(['thingModelSource'], () => {
    const chosen = dialog.value('thingModelSource');
    // Whoever takes the trouble to give a model wants it checked; it can still be switched off.
    if (source === 'none' && chosen !== 'none' && dialog.value('thingModelMode') === 'off') {
      dialog.set('thingModelMode', 'strict');
    }
    source = chosen;
    dialog.showFor('data-model', chosen);
  });
  dialog.watch(['thingModelSource', 'thingModel'], () => {
    const count = countModel(dialog.value('thingModel'));
    dialog.note(
      'thingModel',
      count ? text(TYPE, 'hint.thingModelCount', { ...count }) : text(TYPE, 'hint.thingModel'),
    );
  });
  dialog.watch(['thingModelMode'], () =>
    dialog.note('thingModelMode', text(TYPE, `modeNote.${dialog.value('thingModelMode')}`)),
  );
}
