import type { DeviceIdentity, Json } from '../../protocol';
import type { Connection } from '../connection';
import type { Device } from '../device-types';
import { AlinkError } from '../errors';
import type { RequestOptions } from '../types';
import { type Admission, assertIdentity, type LoginOptions, outcome } from './admission';
import type { MemberOptions } from './bring-up';
import type { GatewayCore } from './core';
import type { Packer } from './packer';
import { withTimeLimit } from './time-limit';
import type { Gateway, SubDeviceCredentials, SubDeviceResult } from './types';

export interface GatewayParts {
  connection: Connection;
  core: GatewayCore;
  admission: Admission;
  packer: Packer;
  /** A further handle on an open sub-device. */
  handleOn: (identity: DeviceIdentity) => Device | undefined;
}

/** One user's view of a gateway: what it listens to ends with its handle. */
export class GatewayHandle implements Gateway {
  readonly #parts: GatewayParts;
  readonly #track: (undo: () => void) => () => void;

  /** @param track remembers what has to be undone when the handle is given back; throws when that is past */
  constructor(parts: GatewayParts, track: (undo: () => void) => () => void) {
    this.#parts = parts;
    this.#track = track;
  }

  subDevices: Gateway['subDevices'] = (deviceName) => this.#parts.core.states(deviceName);
  subDevice: Gateway['subDevice'] = (identity) => this.#parts.handleOn(identity);
  onSubDevice: Gateway['onSubDevice'] = (listener) => this.#track(this.#parts.core.onSubDevice(listener));
  onMessage: Gateway['onMessage'] = (filterOf, listener, onRefused = () => undefined, { qos = 1 } = {}) =>
    this.#track(this.#parts.core.onMessage({ filterOf, listener, onRefused, qos }));
  onOffer: Gateway['onOffer'] = (...given) => this.#track(this.#parts.core.onOffer(...given));
  onNotice: Gateway['onNotice'] = (listener) => this.#track(this.#parts.core.onNotice(listener));
  admit: Gateway['admit'] = (onResult) => this.#track(this.#parts.admission.admit(onResult));
  login = async (devices: readonly SubDeviceCredentials[], options: LoginOptions = {}) =>
    this.#parts.admission.login(listOf(devices), options);
  logout: Gateway['logout'] = async (devices, options = {}) =>
    this.#parts.admission.logout(listOf(devices), options);
  getTopology: Gateway['getTopology'] = (options = {}) => this.#parts.core.topology.get(options);
  postProperties: Gateway['postProperties'] = (identity, input, options = {}) =>
    this.#waiting(identity)?.properties(input, options) ??
    this.#parts.packer.properties(identity, input, options);
  postEvent: Gateway['postEvent'] = (identity, event, values, options = {}) =>
    this.#waiting(identity)?.event(event, values, options) ??
    this.#parts.packer.event(identity, event, values, options);

  addTopology: Gateway['addTopology'] = (devices, options = {}) =>
    this.#each('thing.topo.add', devices, options, async (device, signal) => {
      const deviceSecret = await this.#secretOf(device);
      await this.#parts.core.topology.add({ identity: device.identity, deviceSecret }, signal);
      this.#parts.core.putBack(device.identity);
    });

  deleteTopology: Gateway['deleteTopology'] = async (devices, options = {}) => {
    const list = listOf(devices).map((identity) => ({ identity }));
    return this.#each('thing.topo.delete', list, options, async ({ identity }, signal) => {
      await this.#parts.core.topology.delete(identity, signal);
      this.#parts.core.removed(identity);
      await this.#parts.admission.forget(identity);
    });
  };

  reportFound: Gateway['reportFound'] = async (devices, options = {}) => {
    for (const identity of listOf(devices)) assertIdentity(identity);
    const list: Json = devices.map(({ productKey, deviceName }) => ({ productKey, deviceName }));
    return this.#parts.connection.request({
      operation: 'thing.list.found',
      params: JSON.stringify(list),
      options,
    });
  };

  register: Gateway['register'] = async (devices, options = {}) => {
    const given = new Map<object, string>();
    const results = await this.#each('thing.sub.register', devices, options, async (device, signal) => {
      const { identity, productSecret } = device;
      given.set(device, await this.#parts.core.bringUp.register(identity, productSecret, signal));
    });
    return results.map((result, i) => {
      const deviceSecret = given.get(devices[i] ?? result);
      return deviceSecret === undefined || result.error ? result : { ...result, deviceSecret };
    });
  };

  /** An open sub-device without session lets its reports wait; in a pack they would be refused. */
  #waiting(identity: DeviceIdentity): Connection['reporter'] | undefined {
    const connection = this.#parts.core.member(identity)?.connection;
    return connection?.isOnline === false ? connection.reporter : undefined;
  }

  async #each<T extends { identity: DeviceIdentity }>(
    operation: string,
    list: readonly T[],
    options: RequestOptions,
    work: (entry: T, signal: AbortSignal | undefined) => Promise<void>,
  ): Promise<SubDeviceResult[]> {
    return withTimeLimit(options, operation, (limited) =>
      Promise.all(
        listOf(list).map((entry) =>
          outcome(entry.identity, async () => {
            assertIdentity(entry.identity);
            await limited((signal) => work(entry, signal));
          }),
        ),
      ),
    );
  }

  /** Given, that of an open sub-device, stored, or registered now. @throws AlinkError */
  async #secretOf({
    identity,
    deviceSecret = '',
    productSecret = '',
  }: SubDeviceCredentials): Promise<string> {
    if (deviceSecret !== '') return deviceSecret;
    const { core } = this.#parts;
    const standing = core.member(identity)?.standing;
    if (standing) return core.bringUp.secretOf(standing);
    const authentication: MemberOptions['authentication'] =
      productSecret === '' ? { kind: 'subRegister' } : { kind: 'productRegister', productSecret };
    const options = { identity, authentication };
    return core.bringUp.secretOf({ options, secret: undefined, isStoreOld: false, isRemoved: false });
  }
}

/** From JavaScript anything may come. @throws AlinkError `invalidInput` */
function listOf<T extends object>(devices: readonly T[]): readonly T[] {
  const isList =
    Array.isArray(devices) && devices.every((entry) => typeof entry === 'object' && entry !== null);
  if (isList) return devices;
  const [field, reason] = ['devices', 'a list of objects is expected'];
  throw new AlinkError('invalidInput', `${field}: ${reason}`, { details: { field, reason } });
}
