import type { Node, NodeAPI, NodeDef } from 'node-red';
import { DEFAULT_MODULE } from '../../sdk';
import { badSettings, expandText, readValue, type ValueSource } from '../shared/config';
import { firmwareHome, firmwareName, moduleOf, moduleSetting } from '../shared/firmware-things';
import { toFlowError } from '../shared/flow-error';
import { handleInput, linkThing } from '../shared/flow-node';
import { explainLog } from '../shared/runtime-messages';
import type { AlinkInfo } from '../shared/types';
import { ACTIONS, readReport } from './reports';

interface OtaProgressDef extends NodeDef {
  device: string;
  /** Blank: the one that the message names, else the whole device. */
  module: string;
  action: (typeof ACTIONS)[number];
  value: string;
  valueType: ValueSource;
  /** Failure step, for `failure`. */
  step: string;
  description: string;
  descriptionType: ValueSource;
}

/** What `msg.alink` says besides the usual. */
interface OtaProgressInfo extends AlinkInfo {
  module?: string;
  version?: string;
  step?: number;
}

/** Reports how an update goes, that it failed, or which version runs now (G.3, G.1). */
export = function alinkOtaProgress(RED: NodeAPI): void {
  RED.nodes.registerType('alink-ota-progress', function (this: Node, def: OtaProgressDef) {
    RED.nodes.createNode(this, def);
    const link = linkThing(RED, this, def.device);
    handleInput(RED, this, link, async (msg, { device, info }) => {
      const action = ACTIONS.find((name) => name === def.action);
      if (action === undefined) throw badSettings('action', 'is not in the list');
      const value =
        action === 'failure' ? def.step : await readValue(RED, this, def.value, def.valueType, msg);
      const description = await readValue(
        RED,
        this,
        def.description ?? '',
        def.descriptionType ?? 'none',
        msg,
      );
      const report = readReport(action, value, description);
      const setting = moduleSetting(expandText(RED, this, def.module));
      const named = setting ?? report.module ?? moduleOf(msg);
      const module = named === undefined ? DEFAULT_MODULE : firmwareName(named, 'module');
      const told: OtaProgressInfo = info;
      told.method = report.version === undefined ? 'ota.progress' : 'ota.inform';
      told.module = module;
      const home = await firmwareHome(RED, def.device);
      const firmware = await home.firmwareOf(device);
      if (report.version !== undefined) {
        told.version = report.version;
        await device.ota.reportVersion(report.version, module, { signal: link.signal });
        const line = await firmware.reported(report.version, module).catch(warn);
        if (line) this.warn(explainLog(RED, line));
      } else {
        told.step = report.step;
        await device.ota.reportProgress(report.step, report.description, module);
        // Whoever offers it again means it: it is no repetition.
        if (report.step < 0) await firmware.ended(module).catch(warn);
      }
      return { status: 'acknowledged' };
    });

    // The platform has the report; what is lost is only the memory of it.
    const warn = (thrown: unknown): undefined => {
      this.warn(toFlowError(RED, thrown).message);
    };
  });
};
