import type { NodeAPI } from 'node-red';
import type { Gateway } from '../../sdk';
import { type GatewayDef, type GatewayWork, handleDevices, linkGateway } from '../shared/gateway-node';
import { StateBook } from '../shared/state-book';
import type { StatusLine } from '../shared/status';

interface LoginDef extends GatewayDef {
  action: 'login' | 'logout';
  /** Keep secrets of the message on disk. */
  store: boolean;
}

/** Begins and ends sessions of sub-devices that exist only as messages (B.5). */
export = function alinkSubDeviceLogin(RED: NodeAPI): void {
  RED.nodes.registerType('alink-subdevice-login', function (def: LoginDef) {
    RED.nodes.createNode(this, def);
    const link = linkGateway(RED, this, def.device, (gateway, { status }) => follow(gateway, status));
    handleDevices(RED, this, def, link, def.action === 'logout' ? LOGOUT : loginWork(def.store === true));
  });
};

const LOGOUT: GatewayWork = {
  method: 'session.logout',
  devices: 'named',
  run: (gateway, devices, options) =>
    gateway.logout(
      devices.map(({ identity }) => identity),
      options,
    ),
};

function loginWork(store: boolean): GatewayWork {
  return {
    method: 'session.login',
    devices: 'named',
    run: (gateway, devices, options) => gateway.login(devices, { ...options, store }),
  };
}

/** Shows how many are online. @returns function that stops it */
function follow(gateway: Gateway, status: StatusLine): () => void {
  const book = new StateBook();
  return gateway.onSubDevice(({ identity, state }) => {
    book.take(identity, state);
    status.counts(book.online, book.total);
  });
}
