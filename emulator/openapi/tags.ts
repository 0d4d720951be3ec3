import { isJsonObject, LIMITS } from '../../protocol';
import { tagKeyFits, tagValueFits } from '../handlers/tags';
import type { Device } from '../registry/device';
import { ActionError, type ActionParameters } from './parameters';

const MOST_TAGS_ASKED = 10;

/** Props is an object of texts as JSON text; tags that are not named stay. */
function saveDeviceProp(parameters: ActionParameters): object {
  const device = parameters.device();
  const props = parameters.json('Props', 'iot.device.InvalidFormattedDevicePropertiesString');
  if (!isJsonObject(props))
    throw refused('InvalidFormattedDevicePropertiesString', 'Props must be an object.');
  const tags = Object.entries(props);
  if (tags.length === 0) throw refused('NoneDeviceProperties', 'Props is empty.');
  for (const [key, value] of tags) {
    const shown = key.slice(0, 64);
    if (!tagKeyFits(key))
      throw refused('InvalidFormattedDevicePropertyKey', `The key ${shown} breaks the rule.`);
    if (!tagValueFits(value)) {
      throw refused('InvalidFormattedDevicePropertiesString', `The value of ${shown} is no short text.`);
    }
  }
  const added = tags.filter(([key]) => !device.tags.has(key)).length;
  if (device.tags.size + added > LIMITS.tagsPerDevice) {
    throw refused('TooManyDevicePropertiesPerTime', `More than ${LIMITS.tagsPerDevice} tags.`);
  }
  for (const [key, value] of tags) device.tags.set(key, String(value));
  return {};
}

function queryDeviceProp(parameters: ActionParameters): object {
  return { Props: JSON.stringify(Object.fromEntries(parameters.device().tags)) };
}

function deleteDeviceProp(parameters: ActionParameters): object {
  parameters.device().tags.delete(parameters.text('PropKey'));
  return {};
}

/** Devices that have all the tags. */
function queryDeviceByTags(parameters: ActionParameters): object {
  const wanted: Array<[string, string | undefined]> = [];
  for (let i = 1; i <= MOST_TAGS_ASKED; i++) {
    const key = parameters.optional(`Tag.${i}.TagKey`);
    if (key === undefined) break;
    wanted.push([key, parameters.optional(`Tag.${i}.TagValue`)]);
  }
  if (wanted.length === 0) throw new ActionError('MissingTag', 'Tag is mandatory for this action.');
  const fits = ({ tags }: Device) =>
    wanted.every(([key, value]) => (value === undefined ? tags.has(key) : tags.get(key) === value));
  const { rows, ...paging } = parameters.page([...parameters.platform.registry.devices()].filter(fits));
  const devices = rows.map(({ identity, iotId, product }) => ({
    ProductKey: identity.productKey,
    DeviceName: identity.deviceName,
    IotId: iotId,
    ProductName: product.name,
  }));
  return { ...paging, Page: paging.CurrentPage, Data: { SimpleDeviceInfo: devices } };
}

function refused(code: string, message: string): ActionError {
  return new ActionError(`iot.device.${code}`, message);
}

export const TAG_ACTIONS = {
  SaveDeviceProp: saveDeviceProp,
  QueryDeviceProp: queryDeviceProp,
  DeleteDeviceProp: deleteDeviceProp,
  QueryDeviceByTags: queryDeviceByTags,
};
