import type { Node, NodeAPI, NodeDef } from 'node-red';
import type { Outcome, PackOptions } from '../../sdk';
import { expandText, readNumber, readValue, toTime, type ValueSource } from './config';
import { type AlinkMessage, handleInput, type InputContext, linkThing } from './flow-node';

/** Fields that every node which reports something has in its dialog. */
export interface ReportDef extends NodeDef {
  device: string;
  identifier: string;
  value: string;
  valueType: ValueSource;
  time: string;
  timeType: ValueSource;
  /** Seconds; empty: the device's. */
  timeout: string;
  /** How long a report of a sub-device may wait for company, ms; empty: the SDK's own. */
  packWindow?: string;
}

const PACK_WINDOW_MS = { min: 0, max: 10_000 };

export interface Report extends InputContext {
  msg: AlinkMessage;
  value: unknown;
  /** `packWindowMs` means something only where there is a `gateway`. */
  options: PackOptions & { time?: number };
}

/**
 * Runs a node that reports: reads value and time as the dialog says and hands them to `send`.
 * @param send writes identifier and method into `info` before it sends
 */
export function handleReports(
  RED: NodeAPI,
  node: Node,
  def: ReportDef,
  send: (report: Report) => Promise<Outcome>,
): void {
  const link = linkThing(RED, node, def.device);
  handleInput(RED, node, link, async (msg, context) => {
    const value = await readValue(RED, node, def.value || 'payload', def.valueType || 'msg', msg);
    const time = toTime(await readValue(RED, node, def.time, def.timeType || 'none', msg));
    const seconds = readNumber(def.timeout, 'timeout', { min: 1, max: 3600 });
    const packWindowMs =
      context.gateway && readNumber(expandText(RED, node, def.packWindow), 'packWindow', PACK_WINDOW_MS);
    if (time !== undefined) context.info.time = time;
    const options = {
      signal: link.signal,
      ...(time === undefined ? {} : { time }),
      ...(seconds === undefined ? {} : { timeoutMs: seconds * 1000 }),
      ...(packWindowMs === undefined ? {} : { packWindowMs }),
    };
    return send({ ...context, msg, value, options });
  });
}
