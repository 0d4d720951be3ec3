import type { NodeAPI, NodeDef } from 'node-red';
import type { DeviceIdentity } from '../../protocol';
import type { Device, Gateway, SessionState } from '../../sdk';
import { linkThing } from '../shared/flow-node';
import { noticeMessage, stateMessage } from '../shared/lifecycle-messages';
import { StateBook } from '../shared/state-book';
import type { DeviceNode } from '../shared/types';

interface LifecycleDef extends NodeDef {
  device: string;
  /** Also tell the states that there are when the flow starts. */
  initial: boolean;
  /** Of a gateway: its own states; flows from before there were gateways want them. */
  own?: boolean;
  /** Of a gateway: states of its sub-devices. */
  subDevices?: boolean;
  /** Of a gateway: what the platform says about sub-devices and topology. */
  notices?: boolean;
}

/**
 * Tells when a device goes online or offline, is refused, or is thrown out by another client; of a gateway also what
 * becomes of its sub-devices, and what the platform says about them.
 */
export = function alinkLifecycle(RED: NodeAPI): void {
  RED.nodes.registerType('alink-lifecycle', function (def: LifecycleDef) {
    RED.nodes.createNode(this, def);
    const own = new StateBook();
    const subDevices = new StateBook();

    /** `listen` calls back at once with what there is, which is news only when the flow wants to know how it starts. */
    const follow = <Change>(
      listen: (listener: (change: Change) => void) => () => void,
      tell: (change: Change, silent: boolean) => void,
    ) => {
      let silent = def.initial === false;
      const stop = listen((change) => tell(change, silent));
      silent = false;
      return stop;
    };

    const tellState = (identity: DeviceIdentity, state: SessionState, silent: boolean, book: StateBook) => {
      const told = book.take(identity, state);
      if (told !== undefined && !silent)
        this.send(stateMessage(RED, identity, state, told, book === subDevices));
    };

    const followOwn = (device: Device) =>
      follow<SessionState>(
        (listener) => device.onState(listener),
        (state, silent) => tellState(device.identity, state, silent, own),
      );

    const followSubDevices = (gateway: Gateway) =>
      follow(gateway.onSubDevice.bind(gateway), ({ identity, state }, silent) => {
        tellState(identity, state, silent, subDevices);
        link.status.counts(subDevices.online, subDevices.total);
      });

    const followNotices = ({ identity, gateway }: Device, only?: DeviceIdentity) =>
      gateway?.onNotice((notice) => {
        if (only && !notice.devices.some((named) => isSame(named, only))) return;
        this.send(noticeMessage(RED, identity, only ? { ...notice, devices: [only] } : notice));
      }) ?? nothing;

    const link = linkThing(RED, this, def.device, (device) => {
      const { gateway } = device;
      const stops = gateway
        ? [
            def.own === false ? nothing : followOwn(device),
            def.subDevices === true ? followSubDevices(gateway) : nothing,
            def.notices === true ? followNotices(device) : nothing,
          ]
        : [followOwn(device), withGateway(RED, def, (opened) => followNotices(opened, device.identity))];
      return () => {
        for (const stop of stops) stop();
      };
    });
  });
};

/** Opens the gateway of a sub-device as well: the platform's notices come to it. */
function withGateway(RED: NodeAPI, def: LifecycleDef, follow: (gateway: Device) => () => void): () => void {
  const deviceNode = RED.nodes.getNode(def.device) as DeviceNode | null | undefined;
  const gatewayNode = RED.nodes.getNode(deviceNode?.gatewayId ?? '') as DeviceNode | null | undefined;
  if (typeof gatewayNode?.open !== 'function') return nothing;
  let stop = nothing;
  let closed = false;
  const opened = gatewayNode.open().then((gateway) => {
    if (!closed) stop = follow(gateway);
    return gateway;
  });
  // What keeps a gateway from opening keeps its sub-device too, which has said so.
  opened.catch(nothing);
  return () => {
    closed = true;
    stop();
    opened.then((gateway) => gateway.release()).catch(nothing);
  };
}

function isSame(a: DeviceIdentity, b: DeviceIdentity): boolean {
  return a.productKey === b.productKey && a.deviceName === b.deviceName;
}

function nothing(): void {}
