import type { Dialog } from './dialog';
import { sharedText } from './text';
import { type Check, identityCheck, numberCheck, referenceCheck, validator } from './validate';

const VALUE_TYPES = ['msg', 'flow', 'global', 'json', 'jsonata'];

/** A device that is set up as a gateway. */
const gatewayCheck: Check = (value, node) => {
  const problem = referenceCheck('device')(value, node);
  if (problem !== undefined) return problem;
  return RED.nodes.node(value)?.role === 'gateway'
    ? undefined
    : sharedText('validate.reference.deviceNotGateway');
};

export const validGateway = validator(gatewayCheck);
/** Blank: each sub-device names its own. */
export const validProductKey = validator((value, node) =>
  value === '' ? undefined : identityCheck(value, node),
);
export const validTimeout = validator(numberCheck(1, 3600, { integer: false }));

/** Prepares the fields of `device-list-form.html`. */
export function prepareSubDevices(dialog: Dialog): void {
  $(dialog.field('value')).typedInput({
    types: VALUE_TYPES,
    default: 'msg',
    typeField: dialog.field('valueType'),
  });
}
