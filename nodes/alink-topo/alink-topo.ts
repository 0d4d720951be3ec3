import type { Node, NodeAPI, NodeMessage } from 'node-red';
import type { Device, DeviceIdentity, Gateway, GatewayNotice, SubDeviceResult } from '../../sdk';
import { badSettings, expandText } from '../shared/config';
import { failed, type ThingLink } from '../shared/flow-node';
import { type GatewayDef, type GatewayWork, handleDevices, linkGateway } from '../shared/gateway-node';
import { noticeMessage } from '../shared/lifecycle-messages';
import { explainError } from '../shared/runtime-messages';
import { outcomesOf } from '../shared/sub-devices';
import { ACTIONS, type TopoAction, workOf } from './actions';

interface TopoDef extends GatewayDef {
  action: TopoAction;
  /** What to do when the platform tells of the topology; with action `handle` it is `pass` or `admit`. */
  notify: 'none' | 'pass' | 'admit';
  /** Put secrets that came by registration into the message. */
  handOut: boolean;
}

interface TopoCredentials {
  productSecret: string;
}

/** Notices that concern the topology; what becomes of sessions is the lifecycle node's. */
const PASSED: ReadonlySet<GatewayNotice['type']> = new Set([
  'addRequested',
  'added',
  'removed',
  'permitJoin',
]);

/** The sub-devices of a gateway: its topology and their registration (B.4). */
export = function alinkTopo(RED: NodeAPI): void {
  RED.nodes.registerType<Node<TopoCredentials>, TopoDef, object, TopoCredentials>(
    'alink-topo',
    function (this: Node<TopoCredentials>, def: TopoDef) {
      RED.nodes.createNode(this, def);
      const open = (gateway: Gateway, link: ThingLink, device: Device) => {
        if (notifyOf(def) === 'pass') {
          return gateway.onNotice((notice) => {
            if (PASSED.has(notice.type)) this.send(passedOn(RED, notice, device.identity));
          });
        }
        if (notifyOf(def) === 'none') return () => undefined;
        return gateway.admit((result) => {
          if (result.error === undefined) link.status.success();
          else link.status.error(result.error);
          this.send(admissionMessage(RED, result));
        });
      };
      const link = linkGateway(RED, this, def.device, open);
      handleDevices(RED, this, def, link, workAsSet(RED, this, def));
    },
    { credentials: { productSecret: { type: 'password' } } },
  );
};

function notifyOf({ action, notify }: TopoDef): TopoDef['notify'] {
  if (notify === 'pass' || notify === 'admit') return notify;
  return action === 'handle' ? 'admit' : 'none';
}

/** Settings that cannot work are told with each message, as other nodes do. */
function workAsSet(RED: NodeAPI, node: Node<TopoCredentials>, def: TopoDef): GatewayWork {
  const action = ACTIONS.find((name) => name === def.action);
  if (action === undefined) {
    const run = () => Promise.reject(badSettings('action', 'is not in the list'));
    return { method: String(def.action), devices: 'none', run };
  }
  const credentials = node.credentials as Partial<TopoCredentials> | undefined;
  return workOf(action, {
    productSecret: credentials?.productSecret?.trim() ?? '',
    productKey: expandText(RED, node, def.productKey),
    handOut: def.handOut === true,
  });
}

/** The payload is a list, as the input of such a node wants it. */
function passedOn(RED: NodeAPI, notice: GatewayNotice, gateway: DeviceIdentity): NodeMessage {
  const { type, productKey, seconds } = notice;
  const told = noticeMessage(RED, gateway, notice);
  return {
    ...told,
    topic: type,
    payload:
      type === 'permitJoin' ? { productKey, seconds } : notice.devices.map((device) => ({ ...device })),
    alink: { ...told.alink, status: 'pushed', notice: type },
  } as NodeMessage;
}

function admissionMessage(RED: NodeAPI, { identity, error }: SubDeviceResult): NodeMessage {
  const { results } = outcomesOf(
    RED,
    [{ credentials: { identity } }],
    [{ identity, ...(error ? { error } : {}) }],
    false,
  );
  return {
    topic: 'admit',
    payload: results,
    device: { ...identity },
    alink: {
      ...(error === undefined
        ? { status: 'acknowledged', code: 200 }
        : failed(RED, error, explainError(RED, error))),
      kind: 'notice',
      notice: 'admit',
      ...identity,
      time: Date.now(),
    },
  } as NodeMessage;
}
