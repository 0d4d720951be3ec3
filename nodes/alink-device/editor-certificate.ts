import { parseCertificate } from '../../protocol/certificate';
import type { Dialog } from '../shared/editor/dialog';
import { text } from '../shared/editor/text';
import { TYPE, WITH_PRODUCT_SECRET } from './editor-fields';

const FIELDS = ['productKey', 'deviceName', 'deviceSecret', 'productSecret'] as const;

/** Fills the form from the certificate that the console's copy button gives. */
export function preparePaste(dialog: Dialog): void {
  const box = dialog.find<HTMLTextAreaElement>('[data-role="paste"]');
  dialog.note('paste', '');
  box.addEventListener('input', () => {
    if (box.value.trim() === '') return;
    const certificate = parseCertificate(box.value);
    const filled = FIELDS.filter((name) => certificate[name] !== undefined);
    if (filled.length === 0) {
      dialog.note('paste', text(TYPE, 'paste.nothing'));
      return;
    }
    // Secrets do not stay readable in the box.
    box.value = '';
    for (const name of filled) fill(dialog, name, certificate[name] ?? '');
    chooseAuthentication(
      dialog,
      certificate.deviceSecret !== undefined,
      certificate.productSecret !== undefined,
    );
    dialog.note('paste', summary(filled, certificate.instanceId, certificate.region));
  });
}

function fill(dialog: Dialog, name: (typeof FIELDS)[number], value: string): void {
  if (name === 'deviceName') {
    const field = $(dialog.field('deviceName'));
    field.typedInput('type', 'text');
    field.typedInput('value', value);
    field.trigger('change');
  } else {
    dialog.set(name, value);
  }
}

/** A device secret is used as it is; with a product secret alone the device has to register first. */
function chooseAuthentication(dialog: Dialog, hasDeviceSecret: boolean, hasProductSecret: boolean): void {
  const chosen = dialog.value('authentication');
  const usesProductSecret = WITH_PRODUCT_SECRET.includes(chosen);
  if (hasDeviceSecret && (usesProductSecret || chosen === 'subRegister'))
    dialog.set('authentication', 'deviceSecret');
  if (!hasDeviceSecret && hasProductSecret && !usesProductSecret) {
    const isSubDevice = dialog.value('role') === 'subDevice';
    dialog.set('authentication', isSubDevice ? 'productRegister' : 'productSecretMqtt');
  }
}

function summary(
  filled: readonly string[],
  instanceId: string | undefined,
  region: string | undefined,
): string {
  const labels = filled.map((name) => text(TYPE, `label.${name}`)).join(', ');
  const place = [instanceId, region].filter((value) => value !== undefined).join(', ');
  const done = text(TYPE, 'paste.filled', { fields: labels });
  return place === '' ? done : `${done}\n${text(TYPE, 'paste.platform', { values: place })}`;
}
