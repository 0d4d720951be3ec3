import { isJsonObject } from '../../protocol';
import { unitOf, valueText } from './data';
import { scriptFailed, settableItems } from './downlink';
import { ActionError, type ActionParameters } from './parameters';

/** Of one call. */
const MOST_DESIRED = 10;

/**
 * Stores what the application wants and tells the device, when it is there to be told; otherwise it asks after its next
 * connect (B.1 row 15). With `Versions` only when nobody else changed it meanwhile.
 */
async function setDeviceDesiredProperty(parameters: ActionParameters): Promise<object> {
  const { platform } = parameters;
  const device = parameters.device();
  const items = settableItems(parameters, device.product, MOST_DESIRED);
  const given = parameters.optional('Versions') === undefined ? {} : parameters.json('Versions');
  if (!isJsonObject(given)) {
    throw new ActionError('iot.common.InvalidFormattedParameter', 'Versions must be an object of numbers.');
  }
  const current = (identifier: string) => device.desired.get(identifier)?.version ?? 0;
  for (const identifier of Object.keys(items)) {
    const expected = Object.hasOwn(given, identifier) ? given[identifier] : undefined;
    if (expected === undefined || expected === current(identifier)) continue;
    const message = `The desired value of ${identifier} has version ${current(identifier)}.`;
    throw new ActionError('iot.thing.DesiredPropertyVersionConflict', message);
  }
  const most = platform.limits.propertiesPerDevice;
  const added = Object.keys(items).filter((identifier) => !device.desired.has(identifier)).length;
  if (device.desired.size + added > most) {
    const message = `At most ${most} properties of a device have a desired value.`;
    throw new ActionError('iot.device.TooManyDevicePropertiesPerTime', message);
  }
  const time = platform.clock();
  const versions: Array<[string, number]> = [];
  for (const [identifier, value] of Object.entries(items)) {
    const version = current(identifier) + 1;
    device.desired.set(identifier, { value, version, time });
    versions.push([identifier, version]);
  }
  const call = { operation: 'thing.service.property.set', params: items } as const;
  const messageId =
    device.onlineSince === undefined
      ? platform.messageIds.next()
      : await platform.downlink.send(device, call).catch(scriptFailed);
  return { Data: { MessageId: messageId, Versions: JSON.stringify(Object.fromEntries(versions)) } };
}

function queryDeviceDesiredProperty(parameters: ActionParameters): object {
  const device = parameters.device();
  const asked = parameters.list('Identifier');
  const identifiers = asked.length > 0 ? asked : [...device.desired.keys()];
  const rows = identifiers.flatMap((identifier) => {
    const definition = device.product.thingModel?.properties.get(identifier);
    const desired = device.desired.get(identifier);
    if (desired === undefined && definition === undefined) return [];
    return [
      {
        Identifier: identifier,
        Name: definition?.name ?? identifier,
        DataType: definition?.dataType.type ?? 'text',
        Unit: unitOf(definition),
        ...(desired === undefined
          ? { Version: 0 }
          : { Value: valueText(desired.value), Time: String(desired.time), Version: desired.version }),
      },
    ];
  });
  return { Data: { List: { DesiredPropertyInfo: rows } } };
}

export const DESIRED_ACTIONS = {
  SetDeviceDesiredProperty: setDeviceDesiredProperty,
  QueryDeviceDesiredProperty: queryDeviceDesiredProperty,
};
