import type { NodeAPI, NodeMessage } from 'node-red';
import { toAlinkError, toFlowError } from '../shared/flow-error';
import { type AlinkMessage, failed, linkThing, namesOf } from '../shared/flow-node';
import { say } from '../shared/runtime-messages';
import type { AlinkInfo } from '../shared/types';
import { modelWork } from './model';
import { type Outlet, remoteWork } from './remote';
import type { ConfigPushDef } from './settings';

/** Hands on configurations from the cloud (B.3 rows 33, 34), or what a gateway's model configuration becomes (H). */
export = function alinkConfigPush(RED: NodeAPI): void {
  RED.nodes.registerType('alink-config-push', function (def: ConfigPushDef) {
    RED.nodes.createNode(this, def);
    const isModel = def.output !== undefined && def.output !== 'configuration';

    const outlet: Outlet = {
      send: (messages, { keepStatus = false, leftOut = [] } = {}) => {
        if (link.signal.aborted) return;
        if (!keepStatus) link.status.success();
        const [first] = leftOut;
        if (first !== undefined) {
          const count = leftOut.length;
          link.status.leftOut(count);
          this.warn(say(RED, 'warn.leftOut', { count, first }, `${count} entries are left out: ${first}`));
        }
        this.send([[...messages]] as NodeMessage[][]);
      },
      status: {
        loadingAgain: (...given) => link.status.loadingAgain(...given),
        trial: (until) => link.status.trial(until),
      },
      problem: (error, about) => {
        if (link.signal.aborted) return;
        if (error.key === 'configurationTakenBack') link.status.trial(undefined);
        link.status.error(error);
        const flowError = toFlowError(RED, error);
        const alink = { ...about, ...failed(RED, error, flowError.message) };
        this.error(flowError, { alink } as NodeMessage);
      },
    };

    const work = (isModel ? modelWork : remoteWork)(RED, this, def, outlet);
    const link = linkThing(RED, this, def.device, (device) => work.open(device));

    this.on('input', async (msg: AlinkMessage, send, done) => {
      const info: AlinkInfo = { status: 'failed' };
      try {
        const device = await link.device();
        Object.assign(info, namesOf(device));
        const messages = await work.input(device, msg);
        if (!link.signal.aborted) link.status.success();
        send([messages]);
        done();
      } catch (thrown) {
        const error = toAlinkError(thrown);
        const flowError = toFlowError(RED, error);
        msg.alink = { ...info, ...failed(RED, error, flowError.message) };
        if (!link.signal.aborted) link.status.error(error);
        done(flowError);
      }
    });
  });
};
