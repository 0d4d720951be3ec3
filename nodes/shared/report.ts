import type { Node, NodeAPI, NodeDef } from 'node-red';
import type { Outcome, RequestOptions } from '../../sdk';
import { readNumber, readValue, toTime, type ValueSource } from './config';
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
}

export interface Report extends InputContext {
  msg: AlinkMessage;
  value: unknown;
  options: RequestOptions & { time?: number };
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
    if (time !== undefined) context.info.time = time;
    const options = {
      signal: link.signal,
      ...(time === undefined ? {} : { time }),
      ...(seconds === undefined ? {} : { timeoutMs: seconds * 1000 }),
    };
    return send({ ...context, msg, value, options });
  });
}
