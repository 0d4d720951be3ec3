import type { NodeAPI, NodeDef, NodeMessage } from 'node-red';
import type { SessionState } from '../../sdk';
import { linkThing } from '../shared/flow-node';
import { explainError } from '../shared/runtime-messages';

interface LifecycleDef extends NodeDef {
  device: string;
  /** Also tell the state that the device has when the flow starts. */
  initial: boolean;
}

/** What flows want to know of a session; connecting and closing are steps on the way. */
const REPORTED: Partial<Record<SessionState['name'], string>> = {
  online: 'online',
  waiting: 'offline',
  refused: 'refused',
  conflict: 'conflict',
};

/** Tells when a device goes online or offline, is refused, or is thrown out by another client. */
export = function alinkLifecycle(RED: NodeAPI): void {
  RED.nodes.registerType('alink-lifecycle', function (def: LifecycleDef) {
    RED.nodes.createNode(this, def);
    let last = '';
    // A failed attempt repeats the state; the flow hears of it again only when the reason is another.
    linkThing(RED, this, def.device, (device) => {
      let first = true;
      return device.onState((state) => {
        const name = REPORTED[state.name];
        const news =
          name === undefined ? '' : `${name}|${state.reason?.key ?? ''}|${state.reason?.code ?? ''}`;
        const silent = first && def.initial === false;
        first = false;
        if (name === undefined || news === last) return;
        last = news;
        if (silent) return;
        const { productKey, deviceName } = device.identity;
        this.send({
          topic: `${productKey}/${deviceName}`,
          payload: name,
          alink: {
            productKey,
            deviceName,
            status: name,
            time: Date.now(),
            waiting: state.waiting,
            ...(state.retryAt === undefined ? {} : { retryAt: state.retryAt }),
            ...(state.reason
              ? { code: state.reason.code ?? state.reason.key, message: explainError(RED, state.reason) }
              : {}),
          },
        } as NodeMessage);
      });
    });
  });
};
