import type { NodeAPI, NodeMessage } from 'node-red';
import { type DeviceIdentity, thingKey } from '../../protocol';
import type { AlinkError, GatewayNotice, SessionState } from '../../sdk';
import { explainError, say } from './runtime-messages';
import type { ToldState } from './state-book';

const MOST_NAMED = 5;

/** A message about one device or, from a notice, about several; plain JSON only. */
interface LifecycleMessage extends NodeMessage {
  device?: DeviceIdentity;
  alink: Record<string, unknown>;
}

/** A device changed its state. `isSubDevice`: it stands behind the gateway of this node. */
export function stateMessage(
  RED: NodeAPI,
  identity: DeviceIdentity,
  state: SessionState,
  told: ToldState,
  isSubDevice: boolean,
): LifecycleMessage {
  return {
    ...about(identity, told, isSubDevice),
    alink: {
      kind: 'state',
      ...names(identity),
      status: told,
      time: Date.now(),
      waiting: state.waiting,
      ...(state.retryAt === undefined ? {} : { retryAt: state.retryAt }),
      ...(state.reason ? reasonOf(RED, state.reason) : {}),
    },
  };
}

/** The platform told the gateway something; `gateway` is who it told. */
export function noticeMessage(
  RED: NodeAPI,
  gateway: DeviceIdentity,
  notice: GatewayNotice,
): LifecycleMessage {
  const { type, devices, error, productKey, seconds, time } = notice;
  const [first, ...others] = devices;
  const only = others.length === 0 ? first : undefined;
  const permit = productKey === undefined ? {} : { productKey };
  const values = { devices: listOf(devices), productKey: productKey ?? '', seconds: seconds ?? 0 };
  return {
    ...about(only ?? gateway, type, only !== undefined),
    alink: {
      kind: 'notice',
      ...names(only ?? gateway),
      status: type,
      time,
      devices: devices.map(names),
      ...(type === 'permitJoin'
        ? { permit: { ...permit, ...(seconds === undefined ? {} : { seconds }) } }
        : {}),
      ...(error ? reasonOf(RED, error) : { message: say(RED, `notice.${type}`, values, type) }),
    },
  };
}

/** Some of them by name; a notice may be about a thousand. */
function listOf(devices: readonly DeviceIdentity[]): string {
  const shown = devices.slice(0, MOST_NAMED).map(thingKey).join(', ');
  return devices.length > MOST_NAMED ? `${shown}, … (${devices.length})` : shown;
}

function about(
  identity: DeviceIdentity,
  payload: string,
  isSubDevice: boolean,
): NodeMessage & { device?: DeviceIdentity } {
  return {
    topic: `${identity.productKey}/${identity.deviceName}`,
    payload,
    ...(isSubDevice ? { device: names(identity) } : {}),
  };
}

function reasonOf(RED: NodeAPI, error: AlinkError): { code: number | string; message: string } {
  return { code: error.code ?? error.key, message: explainError(RED, error) };
}

// A copy, because flows change what they are given.
function names({ productKey, deviceName }: DeviceIdentity): DeviceIdentity {
  return { productKey, deviceName };
}
