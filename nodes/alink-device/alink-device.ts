import { join } from 'node:path';
import type { NodeAPI } from 'node-red';
import type { DeviceIdentity, Member, ThingModel } from '../../protocol';
import { type Device, fileSecretStore, machineName, openDevice } from '../../sdk';
import { badSettings } from '../shared/config';
import { toAlinkError } from '../shared/flow-error';
import type { DeviceNode, PlatformNode } from '../shared/types';
import {
  type DeviceCredentials,
  type DeviceDef,
  deviceIdentity,
  deviceOptions,
  MACHINE_NAMES,
} from './device-options';

/** Longer than a full deploy takes, so that the next generation of nodes takes the connection over. */
const LINGER_MS = 3000;

/** Who a thing is, how it proves it and how it connects. Flow nodes share its one connection. */
export = function alinkDevice(RED: NodeAPI): void {
  const folder = join(RED.settings.userDir ?? '.', 'alink');
  const secretStore = fileSecretStore(join(folder, 'secrets'));

  class AlinkDevice {
    readonly identity: DeviceIdentity | undefined;
    readonly #problem: unknown;
    readonly #node: DeviceNode;
    readonly #def: DeviceDef;
    #closed = false;
    #thingModel: (() => ThingModel | undefined) | undefined;

    constructor(node: DeviceNode, def: DeviceDef) {
      this.#node = node;
      this.#def = def;
      try {
        this.identity = deviceIdentity(RED, node, def);
      } catch (thrown) {
        this.#problem = thrown;
      }
    }

    async open(): Promise<Device> {
      if (this.identity === undefined) throw this.#problem;
      const platformNode = RED.nodes.getNode(this.#def.platform) as PlatformNode | null | undefined;
      if (typeof platformNode?.access !== 'function')
        throw badSettings('platform', 'no platform is chosen', 'noPlatform');
      const options = deviceOptions(RED, this.#node, this.#def, this.identity, await platformNode.access(), {
        secretStore,
        modelFolder: join(folder, 'thing-models'),
      });
      if (this.#closed) throw badSettings('device', 'was closed');
      const device = openDevice({ ...options, lingerMs: LINGER_MS, log: (line) => this.#log(line) });
      this.#thingModel = () => device.thingModel;
      return device;
    }

    thingModel(): ThingModel | undefined {
      return this.#thingModel?.();
    }

    close(): void {
      this.#closed = true;
      this.#thingModel = undefined;
    }

    #log(line: { level: 'debug' | 'info' | 'warn'; event: string; details: object }): void {
      const text = `${line.event} ${JSON.stringify(line.details)}`;
      if (line.level === 'warn') this.#node.warn(text);
      else if (line.level === 'info') this.#node.log(text);
      else this.#node.debug(text);
    }
  }

  RED.nodes.registerType<DeviceNode, DeviceDef, object, DeviceCredentials>(
    'alink-device',
    function (this: DeviceNode, def: DeviceDef) {
      RED.nodes.createNode(this, def);
      const device = new AlinkDevice(this, def);
      Object.defineProperty(this, 'identity', { value: device.identity });
      this.open = () => device.open();
      this.thingModel = () => device.thingModel();
      this.on('close', () => device.close());
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
