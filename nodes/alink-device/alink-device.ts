import { join } from 'node:path';
import type { NodeAPI } from 'node-red';
import type { Member } from '../../protocol';
import { fileConfigurationStore, fileSecretStore, machineName } from '../../sdk';
import { toAlinkError } from '../shared/flow-error';
import type { DeviceNode } from '../shared/types';
import { type DeviceCredentials, type DeviceDef, MACHINE_NAMES } from './device-options';
import { Plants } from './plant';
import { Thing } from './thing';

/** Who a thing is, how it proves it and how it connects. Flow nodes share its one connection. */
export = function alinkDevice(RED: NodeAPI): void {
  const folder = join(RED.settings.userDir ?? '.', 'alink');
  const surroundings = {
    RED,
    plants: new Plants(),
    storage: {
      secretStore: fileSecretStore(join(folder, 'secrets')),
      modelFolder: join(folder, 'thing-models'),
      configurationStore: fileConfigurationStore(join(folder, 'configurations')),
    },
  };

  RED.nodes.registerType<DeviceNode, DeviceDef, object, DeviceCredentials>(
    'alink-device',
    function (this: DeviceNode, def: DeviceDef) {
      RED.nodes.createNode(this, def);
      const thing = new Thing(surroundings, this, def);
      Object.defineProperty(this, 'identity', { value: thing.identity });
      Object.defineProperty(this, 'role', { value: thing.role });
      Object.defineProperty(this, 'gatewayId', { value: thing.gatewayId });
      this.open = () => thing.open();
      this.use = () => thing.use();
      this.subDevicesOpened = () => thing.subDevicesOpened();
      this.settings = () => thing.settings();
      this.thingModel = () => thing.thingModel();
      thing.start();
      this.on('close', (done: () => void) => void thing.close().finally(done));
    },
    {
      credentials: { deviceSecret: { type: 'password' }, productSecret: { type: 'password' } },
    },
  );

  const mayRead = RED.auth.needsPermission('alink-device.read');

  // What this machine would be called, so that the dialog can show it before deploy.
  RED.httpAdmin.get('/alink-device/machine-name/:kind', mayRead, (req, res) => {
    const kind = MACHINE_NAMES.find((name) => name === req.params.kind);
    if (kind === undefined) {
      res.status(404).json({ error: 'unknownKind' });
      return;
    }
    try {
      res.json({ deviceName: machineName(kind) ?? '' });
    } catch (thrown) {
      res.status(500).json({ error: toAlinkError(thrown).message });
    }
  });

  // Identifiers for the lists in the dialogs; empty while the device is not deployed or has no model.
  RED.httpAdmin.get('/alink-device/:id/thing-model', mayRead, (req, res) => {
    const node = RED.nodes.getNode(String(req.params.id)) as DeviceNode | null | undefined;
    const model = typeof node?.thingModel === 'function' ? node.thingModel() : undefined;
    res.json({
      properties: [...(model?.properties.values() ?? [])].map(
        ({ identifier, name, accessMode, dataType }) => ({
          identifier,
          name,
          accessMode,
          type: dataType.type,
        }),
      ),
      events: [...(model?.events.values() ?? [])].map(({ identifier, name, type }) => ({
        identifier,
        name,
        type,
      })),
      services: [...(model?.services.values() ?? [])].map(
        ({ identifier, name, callType, inputData, outputData }) => ({
          identifier,
          name,
          callType,
          inputs: inputData.map(describeMember),
          outputs: outputData.map(describeMember),
        }),
      ),
    });
  });
};

function describeMember({ identifier, name, dataType }: Member): Record<string, string> {
  return { identifier, name, type: dataType.type };
}
