import type { Dialog } from './dialog';
import { sharedText } from './text';
import { type Check, identityCheck, numberCheck, referenceCheck, validator } from './validate';

const VALUE_TYPES = ['msg', 'flow', 'global', 'json', 'jsonata'];

const gatewayCheck: Check = (value, node) => referenceCheck('device')(value, node) ?? roleProblem(value);

function roleProblem(id: string): string | undefined {
  const device = RED.nodes.node(id);
  if (!device || device.role === 'gateway') return undefined;
  return sharedText('validate.reference.deviceNotGateway');
}

export const validGateway = validator(gatewayCheck);
/** Blank: each sub-device names its own. */
export const validProductKey = validator((value, node) =>
  value === '' ? undefined : identityCheck(value, node),
);
export const validTimeout = validator(numberCheck(1, 3600, { integer: false }));

/** Prepares the fields of `device-list-form.html`, and says when the chosen device is no gateway. */
export function prepareSubDevices(dialog: Dialog): void {
  $(dialog.field('value')).typedInput({
    types: VALUE_TYPES,
    default: 'msg',
    typeField: dialog.field('valueType'),
  });
  dialog.watch(['device'], () => dialog.note('device', roleProblem(dialog.value('device')) ?? ''));
}
