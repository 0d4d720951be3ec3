import type { Problems } from './read/fields';
import type { DeviceEntry, ModelConfiguration, ModelDevice } from './types';

/** Modbus has units 1–247; 0 and 255 mean the server itself on TCP, and others occur behind bridges. */
const HIGHEST_UNIT = 255;

type Lists = Pick<ModelConfiguration, 'servers' | 'models' | 'thingModels'>;

/** Puts together what the document says of each device (H.1); one that misses something is left out with the reason. */
export function joinDevices(
  entries: readonly DeviceEntry[],
  lists: Lists,
  problems: Problems,
): ModelDevice[] {
  return entries.flatMap((entry): ModelDevice[] => {
    const device = joinDevice(entry, lists, problems);
    return device === undefined ? [] : [device];
  });
}

function joinDevice(entry: DeviceEntry, lists: Lists, problems: Problems): ModelDevice | undefined {
  const { productKey, deviceName, serverId, slaveId, displayNamePath, path } = entry;
  const server = lists.servers.get(serverId);
  const model = lists.models.get(productKey);
  if (server === undefined) {
    return problems.leftOut(`${path}.deviceConfig.serverId`, `there is no server "${serverId}"`);
  }
  if (model === undefined)
    return problems.leftOut(`${path}.productKey`, `there is no model of "${productKey}"`);
  const thingModel = lists.thingModels.get(productKey);
  const known = { productKey, deviceName, ...(thingModel === undefined ? {} : { thingModel }) };
  if (server.kind === 'opcua') {
    if (displayNamePath === undefined) {
      return problems.leftOut(
        `${path}.deviceConfig.displayNamePath`,
        'is missing; the server is one of OPC UA',
      );
    }
    const { properties, services, events } = model.opcUa;
    if (properties.length + services.length + events.length === 0) {
      return problems.leftOut(path, `the model of "${productKey}" has nothing for OPC UA`);
    }
    return { kind: 'opcua', ...known, displayNamePath, server, model: model.opcUa };
  }
  if (slaveId === undefined || !Number.isInteger(slaveId) || slaveId < 0 || slaveId > HIGHEST_UNIT) {
    return problems.leftOut(
      `${path}.deviceConfig.slaveId`,
      `is not 0–${HIGHEST_UNIT}; the server is one of Modbus`,
    );
  }
  if (model.modbus.length === 0) {
    return problems.leftOut(path, `the model of "${productKey}" has nothing for Modbus`);
  }
  return { kind: 'modbus', ...known, slaveId, server, properties: model.modbus };
}
