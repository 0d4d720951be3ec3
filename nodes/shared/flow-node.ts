import type { Node, NodeAPI, NodeMessage, NodeMessageInFlow } from 'node-red';
import type { DeviceIdentity, Problem } from '../../protocol';
import { AlinkError, type Device, type Gateway, type Outcome } from '../../sdk';
import { type ChosenThing, chosenThing } from './chosen-thing';
import { toAlinkError, toFlowError } from './flow-error';
import { whenFlowsStarted } from './flows-started';
import { explainProblems } from './runtime-messages';
import { StatusLine } from './status';
import type { AlinkInfo, DeviceNode } from './types';

/** A message with what our nodes read and write besides the payload. */
export interface AlinkMessage extends NodeMessageInFlow {
  alink?: unknown;
  device?: unknown;
}

/** A flow node's share of its device: opened with the node, given back when it closes. */
export interface ThingLink {
  /** The open device. @throws AlinkError why there is none */
  device(): Promise<Device>;
  /** Behind a gateway: resolves when each sub-device of the deploy is open or has failed to. */
  subDevicesOpened(): Promise<void>;
  status: StatusLine;
  /** Aborted when the node closes. */
  signal: AbortSignal;
}

/**
 * Ties a flow node to its device: shows the session's state, reports settings that cannot work,
 * gives everything back on close.
 * @param deviceId id of the `alink-device` config node
 * @param onOpen called with the open device; what it returns is called on close
 */
export function linkThing(
  RED: NodeAPI,
  node: Node,
  deviceId: string,
  onOpen?: (device: Device) => () => void,
): ThingLink {
  const status = new StatusLine(RED, node);
  const closing = new AbortController();
  const undo: Array<() => void> = [];
  const deviceNode = RED.nodes.getNode(deviceId) as DeviceNode | null | undefined;
  const opened = openThing(deviceNode);

  const started = new Promise<void>((resolve) => {
    undo.push(whenFlowsStarted(RED, resolve));
    // Nobody shall wait for a start that a closed node does not hear of.
    closing.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  opened.catch(() => undefined); // said below, when somebody is there to hear it
  const ready = started.then(async () => {
    const device = await opened;
    if (closing.signal.aborted) return;
    if (deviceNode) undo.push(deviceNode.use());
    undo.push(device.onState((state) => status.session(state)));
    if (onOpen) undo.push(onOpen(device));
    device.connect();
  });
  ready.catch((thrown: unknown) => {
    if (closing.signal.aborted) return;
    // A device of the wrong kind may be online all the same; that it is must not hide what is wrong.
    for (const step of undo.splice(0)) step();
    const error = toAlinkError(thrown);
    status.error(error);
    const flowError = toFlowError(RED, error);
    // With a message, so that a catch node hears of settings that cannot work too.
    node.error(flowError, { alink: { ...failed(RED, error, flowError.message) } } as NodeMessage);
  });

  node.on('close', (done: () => void) => {
    closing.abort();
    for (const step of undo.splice(0)) step();
    status.close();
    opened
      .then((device) => device.release())
      .catch(() => undefined) // it never opened: that was reported above
      .finally(done);
  });

  return {
    device: () => opened,
    subDevicesOpened: async () => {
      await started;
      await deviceNode?.subDevicesOpened();
    },
    status,
    signal: closing.signal,
  };
}

async function openThing(deviceNode: DeviceNode | null | undefined): Promise<Device> {
  if (!deviceNode || typeof deviceNode.open !== 'function') {
    throw new AlinkError('badSettings', 'no device is chosen', {
      details: { field: 'device', rule: 'noDevice', reason: 'no device is chosen or it is disabled' },
    });
  }
  return deviceNode.open();
}

/** What a handler is given besides the message: whom it is for, and the outcome so far for `msg.alink`. */
export interface InputContext {
  /** The node's device, or the sub-device behind it that `msg.device` names. */
  device: Device;
  /** That of the sub-device, when it is one; its reports go in packs. */
  gateway: Gateway | undefined;
  /** The handler adds method and identifier before it sends, so that a failure names them too. */
  info: AlinkInfo;
}

/** What became of a message that no envelope answers: the platform has it, or nobody will ever say. */
export interface Delivered {
  status: 'acknowledged' | 'sent';
}

export type InputHandler = (msg: AlinkMessage, context: InputContext) => Promise<Outcome | Delivered>;

/**
 * The one way a message goes through a node that sends something: handle it, then exactly one of
 * `send` with `done()`, or `done(err)`; the outcome stands in `msg.alink` either way.
 */
export function handleInput(RED: NodeAPI, node: Node, link: ThingLink, handler: InputHandler): void {
  node.on('input', async (msg: AlinkMessage, send, done) => {
    const info: AlinkInfo = { status: 'failed' };
    let chosen: ChosenThing | undefined;
    try {
      const own = await link.device();
      Object.assign(info, namesOf(own));
      chosen = await chosenThing(msg.device, own, () => link.subDevicesOpened());
      const { device, gateway } = chosen;
      Object.assign(info, namesOf(device));
      // Complete, whatever part of it came in.
      if (gateway) msg.device = namesOf(device);
      const outcome = await handler(msg, { device, gateway, info });
      Object.assign(info, 'reply' in outcome ? acknowledged(RED, outcome) : outcome);
    } catch (thrown) {
      const error = toAlinkError(thrown);
      const flowError = toFlowError(RED, error);
      Object.assign(info, failed(RED, error, flowError.message));
      msg.alink = info;
      if (!link.signal.aborted) link.status.error(error);
      done(flowError);
      return;
    } finally {
      chosen?.release();
    }
    msg.alink = info;
    link.status.success();
    send(msg);
    done();
  });
}

/** A plain copy, for messages. */
export function namesOf({ identity }: Pick<Device, 'identity'>): DeviceIdentity {
  return { productKey: identity.productKey, deviceName: identity.deviceName };
}

function acknowledged(RED: NodeAPI, { status, reply, method, warnings }: Outcome): Partial<AlinkInfo> {
  return {
    status,
    id: String(reply.id),
    code: reply.code,
    method,
    ...(reply.message === undefined ? {} : { message: reply.message }),
    ...(warnings.length > 0 ? { problems: sentences(RED, warnings) } : {}),
  };
}

/** What `msg.alink` tells of an error. */
export function failed(RED: NodeAPI, error: AlinkError, message: string): Partial<AlinkInfo> {
  return {
    status: error.key === 'platformRefused' ? 'refused' : 'failed',
    code: error.code ?? error.key,
    message,
    ...(error.problems.length > 0 ? { problems: sentences(RED, error.problems) } : {}),
  };
}

/** Broken rules of the thing model, one sentence each. */
export function sentences(RED: NodeAPI, problems: readonly Problem[]): string[] {
  return problems.slice(0, 200).map((problem) => explainProblems(RED, [problem]));
}
