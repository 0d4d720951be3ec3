import { REGIONS } from '../../protocol/endpoints';
import { currentValue, Dialog, loadFileInto } from '../shared/editor/dialog';
import { suggest } from '../shared/editor/suggest';
import { text } from '../shared/editor/text';
import { type Check, jsonObjectCheck, numberCheck, validator } from '../shared/editor/validate';

const TYPE = 'alink-platform';
const KIND = 'node-config-input';
const LONGEST_FILE = 1024 * 1024;

/** A field that counts only for some kinds of platform; for others whatever is left in it is ignored. */
function onlyFor(kinds: readonly string[], check: Check): Check {
  return (value, node) => (kinds.includes(currentValue(node, KIND, 'kind')) ? check(value, node) : undefined);
}

const hostName: Check = (value) => {
  if (value === '') return text(TYPE, 'validate.host.empty');
  return /^[A-Za-z0-9.:-]+$/.test(value) ? undefined : text(TYPE, 'validate.host.badCharacter');
};
const regionName: Check = (value) => {
  if (value === '') return text(TYPE, 'validate.region.empty');
  return /^[a-z0-9-]+$/.test(value) ? undefined : text(TYPE, 'validate.region.badCharacter');
};
const instanceName: Check = (value) => {
  if (value === '') return text(TYPE, 'validate.instanceId.empty');
  return /^[A-Za-z0-9-]+$/.test(value) ? undefined : text(TYPE, 'validate.instanceId.badCharacter');
};
const webAddress: Check = (value) =>
  value === '' || /^https?:\/\/[^\s/]+/i.test(value) ? undefined : text(TYPE, 'validate.httpUrl');
/** Plain http only to this machine, as the runtime has it. */
const API_ADDRESS = /^https:\/\/[^\s/]+|^http:\/\/(localhost|127(\.\d+){3}|\[::1\])(:\d+)?\/?$/i;
const apiAddress: Check = (value) =>
  value === '' || API_ADDRESS.test(value) ? undefined : text(TYPE, 'validate.openApiUrl');
const certificate: Check = (value) =>
  value === '' || /-----BEGIN CERTIFICATE-----[\s\S]+-----END CERTIFICATE-----/.test(value)
    ? undefined
    : text(TYPE, 'validate.ca');
const port = numberCheck(0, 65535, { integer: true });

RED.nodes.registerType('alink-platform', {
  category: 'config',
  defaults: {
    name: { value: '' },
    kind: { value: 'emulator', required: true },
    region: { value: 'cn-shanghai', validate: validator(onlyFor(['public', 'instance'], regionName)) },
    instanceId: { value: '', validate: validator(onlyFor(['instance'], instanceName)) },
    host: { value: '', validate: validator(onlyFor(['custom'], hostName)) },
    mqttPort: {
      value: '',
      validate: validator(onlyFor(['custom'], numberCheck(1, 65535, { integer: true }))),
    },
    httpUrl: { value: '', validate: validator(onlyFor(['custom'], webAddress)) },
    ca: { value: '', validate: validator(onlyFor(['public', 'instance', 'custom'], certificate)) },
    openApiUrl: { value: '', validate: validator(onlyFor(['public', 'instance', 'custom'], apiAddress)) },
    emulatorMqttPort: { value: '0', validate: validator(onlyFor(['emulator'], port)) },
    emulatorHttpPort: { value: '0', validate: validator(onlyFor(['emulator'], port)) },
    emulatorConfig: { value: '', validate: validator(onlyFor(['emulator'], jsonObjectCheck)) },
  },
  credentials: { accessKeyId: { type: 'password' }, accessKeySecret: { type: 'password' } },
  label() {
    if (this.name) return String(this.name);
    switch (this.kind) {
      case 'public':
        return `${text(TYPE, 'kind.public')}: ${this.region}`;
      case 'instance':
        return String(this.instanceId || text(TYPE, 'kind.instance'));
      case 'custom':
        return String(this.host || text(TYPE, 'kind.custom'));
      default:
        return text(TYPE, 'kind.emulator');
    }
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : '';
  },
  oneditprepare() {
    const dialog = new Dialog(this, KIND);
    $(dialog.field('emulatorConfig')).typedInput({ types: ['json'] });
    suggest(dialog.field('region'), () =>
      REGIONS.map((region) => ({ value: region, name: text(TYPE, `region.${region}`) })),
    );
    loadFileInto(dialog, dialog.find('[data-action="load-ca"]'), LONGEST_FILE, (content) =>
      dialog.set('ca', content.trim()),
    );
    loadFileInto(dialog, dialog.find('[data-action="load-config"]'), LONGEST_FILE, (content) =>
      $(dialog.field('emulatorConfig')).typedInput('value', content.trim()),
    );
    let shown = '';
    dialog.watch(['kind'], () => {
      const kind = dialog.value('kind');
      if (kind === shown) return;
      const first = shown === '';
      shown = kind;
      dialog.showFor('data-kinds', kind);
      dialog.note('kind', text(TYPE, `kindNote.${kind}`));
      // The rules of the other fields depend on the kind.
      if (!first) $(dialog.field('name')).trigger('change');
    });
    showAddresses(dialog);
    dialog.unfoldErrors();
  },
});

/** Where a running emulator listens, for whoever wants to connect something else to it. */
function showAddresses(dialog: Dialog): void {
  dialog.note('addresses', text(TYPE, 'addresses.notRunning'));
  $.getJSON(`alink-platform/${encodeURIComponent(dialog.node.id)}/addresses`)
    .done((answer) => {
      const addresses = Object.values(typeof answer === 'object' && answer !== null ? answer : {}).filter(
        (address): address is string => typeof address === 'string',
      );
      if (addresses.length > 0) dialog.note('addresses', addresses.join('\n'));
    })
    // Not deployed yet: the note says so already.
    .fail(() => undefined);
}
