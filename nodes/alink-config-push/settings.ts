import type { Node, NodeAPI, NodeDef } from 'node-red';
import type { ConfigurationListening, DocumentOptions } from '../../sdk';
import { expandText, readNumber } from '../shared/config';
import { readHosts } from '../shared/hosts';
import type { RequestDef } from '../shared/requests';

export const MODEL_OUTPUTS = ['document', 'plans', 'modbus', 'opcua', 'flow'] as const;
/** What becomes of a gateway's model configuration. */
export type ModelOutput = (typeof MODEL_OUTPUTS)[number];

export interface ConfigPushDef extends NodeDef, Pick<RequestDef, 'device' | 'reply' | 'timeLimit'> {
  /** The remote configuration, or what a gateway's model configuration becomes. */
  output: 'configuration' | ModelOutput;
  /** Ask for the remote configuration after each connect; hand on the model configuration that is kept at start. */
  ask: boolean;
  /** Take an accepted configuration back when the platform is not reached again. */
  guarded: boolean;
  /** Minutes; empty: 5. */
  guardTime: string;
  /** Kilobytes; empty: 64, and 8,192 for model configurations. */
  mostSize: string;
  /** Host names with commas between them; empty: any. */
  hosts: string;
  /** Decrypt passwords of OPC UA servers and put them into the messages. */
  passwords: boolean;
  /** Of a generated flow. */
  flowAs: 'array' | 'text';
}

const KILOBYTE = 1024;
const USUAL_MODEL_KILOBYTES = 8192;
const USUAL_GUARD_MINUTES = 5;

/** @throws AlinkError `badSettings` naming the field */
export function documentOptions(RED: NodeAPI, node: Node, def: ConfigPushDef): DocumentOptions {
  const size = readNumber(expandText(RED, node, def.mostSize), 'mostSize', { min: 1, max: 16_384 });
  const usual = def.output === 'configuration' ? undefined : USUAL_MODEL_KILOBYTES;
  const kilobytes = size ?? usual;
  const hosts = readHosts(expandText(RED, node, def.hosts));
  return {
    ...(kilobytes === undefined ? {} : { mostBytes: Math.round(kilobytes * KILOBYTE) }),
    ...(hosts.length === 0 ? {} : { hosts }),
  };
}

/** @throws AlinkError `badSettings` naming the field */
export function listeningOptions(RED: NodeAPI, node: Node, def: ConfigPushDef): ConfigurationListening {
  const seconds = readNumber(expandText(RED, node, def.timeLimit), 'timeLimit', { min: 0.1, max: 3600 });
  const range = { min: 0.05, max: 1440 };
  const minutes = readNumber(expandText(RED, node, def.guardTime), 'guardTime', range) ?? USUAL_GUARD_MINUTES;
  return {
    ...documentOptions(RED, node, def),
    ask: def.ask === true,
    ...(seconds === undefined ? {} : { timeLimitMs: seconds * 1000 }),
    ...(def.guarded === true ? { guardMs: minutes * 60_000 } : {}),
  };
}
