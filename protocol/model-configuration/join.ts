import type { Problems } from './read/fields';
import type { DeviceEntry, ModelConfiguration, ModelDevice } from './types';

/** Modbus has units 1–247; 0 and 255 mean the server itself on TCP, and others occur behind bridges. */
const HIGHEST_UNIT = 255;

/**
 * A short document can say a lot: a model is written once and counts for each of its devices, and in a flow for each server
 * with such devices. More than any gateway could poll is not taken.
 */
const MOST = {
  /** Properties, services and events of all devices. */
  ofDevices: 200_000,
  /** The same, each product once for each server. */
  ofServers: 50_000,
} as const;

type Lists = Pick<ModelConfiguration, 'servers' | 'models' | 'thingModels'>;

/** Puts together what the document says of each device (H.1); one that misses something is left out with the reason. */
export function joinDevices(
  entries: readonly DeviceEntry[],
  lists: Lists,
  problems: Problems,
): ModelDevice[] {
  const seen = new Set<string>();
  let ofDevices = 0;
  let ofServers = 0;
  return entries.flatMap((entry): ModelDevice[] => {
    const device = joinDevice(entry, lists, problems);
    if (device === undefined) return [];
    const features = featuresOf(device);
    const pair = JSON.stringify([device.server.serverId, device.productKey]);
    const added = seen.has(pair) ? 0 : features;
    if (ofDevices + features > MOST.ofDevices || ofServers + added > MOST.ofServers) {
      problems.leftOut(entry.path, 'the devices before it have as many properties as there may be');
      return [];
    }
    seen.add(pair);
    ofDevices += features;
    ofServers += added;
    return [device];
  });
}

function featuresOf(device: ModelDevice): number {
  if (device.kind === 'modbus') return device.properties.length;
  const { properties, services, events } = device.model;
  return properties.length + services.length + events.length;
}

function joinDevice(entry: DeviceEntry, lists: Lists, problems: Problems): ModelDevice | undefined {
  const { productKey, deviceName, serverId, slaveId, displayNamePath, path } = entry;
  const server = lists.servers.get(serverId);
  const model = lists.models.get(productKey);
  if (server === undefined) {
    return problems.leftOut(`${path}.deviceConfig.serverId`, 'there is no server "{serverId}"', {
      serverId: serverId,
    });
  }
  if (model === undefined)
    return problems.leftOut(`${path}.productKey`, 'there is no model of "{productKey}"', {
      productKey: productKey,
    });
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
      return problems.leftOut(path, 'the model of "{productKey}" has nothing for OPC UA', {
        productKey: productKey,
      });
    }
    return { kind: 'opcua', ...known, displayNamePath, server, model: model.opcUa };
  }
  if (slaveId === undefined || !Number.isInteger(slaveId) || slaveId < 0 || slaveId > HIGHEST_UNIT) {
    return problems.leftOut(`${path}.deviceConfig.slaveId`, 'is not 0–{most}; the server is one of Modbus', {
      most: HIGHEST_UNIT,
    });
  }
  if (model.modbus.length === 0) {
    return problems.leftOut(path, 'the model of "{productKey}" has nothing for Modbus', {
      productKey: productKey,
    });
  }
  return { kind: 'modbus', ...known, slaveId, server, properties: model.modbus };
}
