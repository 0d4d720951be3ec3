import { crc64 } from '../../crc';
import { widthOf } from './width';
import type { FlowTexts } from './words';

/** A node of a flow, as Node-RED imports it. */
export interface FlowNode {
  id: string;
  type: string;
  z?: string;
  x?: number;
  y?: number;
  wires?: string[][];
  [field: string]: unknown;
}

/** Makes ids that are the same each time, so that a flow that is made again takes the place of the old one. */
export type Ids = (...parts: string[]) => string;

/** @param key what tells this gateway's flow from others' */
export function idsOf(key: string): Ids {
  return (...parts) => fingerprint([key, ...parts]);
}

/** 16 hexadecimal digits that are the same for the same JSON. */
export function fingerprint(value: unknown): string {
  return crc64(new TextEncoder().encode(JSON.stringify(value)));
}

const GRID = 20;
const COLUMN = 240;
const LEFT = 60;
/** Under a node there is its status. */
const ROW = 3 * GRID;

/** All tabs of a gateway begin with its name, so that they are found together. */
export function tabLabel(label: string, { name }: { name?: string }): string {
  return name === undefined ? label : `${name}: ${label}`;
}

/** One tab on which nodes are set in rows and columns. */
export class Canvas {
  readonly nodes: FlowNode[] = [];
  #y = 60;

  constructor(
    readonly id: string,
    label: string,
    info: string,
  ) {
    this.nodes.push({ id, type: 'tab', label, disabled: false, info });
  }

  /** A heading with the next section under it. */
  comment(id: string, name: string, info: string): void {
    this.add(0, { id, type: 'comment', name, info, wires: [] });
    this.#y += 2 * GRID;
  }

  /** Sets a node into a row, its left side into a column; both from 0, rows from where the canvas is. */
  add(column: number, node: FlowNode, row = 0): void {
    // The place on the canvas is the middle of a node.
    const x = LEFT + column * COLUMN + widthOf(node) / 2;
    this.nodes.push({ ...node, z: this.id, x, y: this.#y + row * ROW });
  }

  /** The next row. */
  down(rows = 1): void {
    this.#y += rows * ROW;
  }

  /** The next section. */
  gap(): void {
    this.#y += GRID;
  }
}

/**
 * A way back from nodes to one that stands before them: wires from right to left would run across everything else.
 * @param from ids of the ends of the way, each to be placed behind the nodes that lead there
 * @returns its beginning and its ends
 */
export function wayBack(start: string, name: string, to: string, from: readonly string[]): FlowNode[] {
  return [
    { id: start, type: 'link in', name, links: [...from], l: true, wires: [[to]] },
    ...from.map((id) => ({ id, type: 'link out', name, mode: 'link', links: [start], l: true, wires: [] })),
  ];
}

/**
 * A function node.
 * @param func its text
 * @param labels of its outputs, where there are several
 * @param forget what of the flow's context it forgets when it is deployed, because it belongs to an earlier text
 */
export function functionNode(
  id: string,
  name: string,
  func: string,
  wires: string[][],
  { labels = [], forget = [] }: { labels?: readonly string[]; forget?: readonly string[] } = {},
): FlowNode {
  return {
    id,
    type: 'function',
    name,
    func,
    outputs: wires.length,
    timeout: 0,
    noerr: 0,
    initialize: forget.map((key) => `flow.set('${key}', undefined);\n`).join(''),
    finalize: '',
    libs: [],
    ...(labels.length > 0 ? { outputLabels: [...labels] } : {}),
    wires,
  };
}

export function injectNode(
  id: string,
  name: string,
  everyMs: number,
  payload: number,
  wires: string[][],
): FlowNode {
  return {
    id,
    type: 'inject',
    name,
    props: [{ p: 'payload' }],
    repeat: String(everyMs / 1000),
    crontab: '',
    once: true,
    onceDelay: 2,
    topic: '',
    payload: String(payload),
    payloadType: 'num',
    wires,
  };
}

export function debugNode(id: string, name: string, complete: string): FlowNode {
  return {
    id,
    type: 'debug',
    name,
    active: true,
    tosidebar: true,
    console: false,
    tostatus: false,
    complete,
    targetType: 'msg',
    statusVal: '',
    statusType: 'auto',
    wires: [],
  };
}

/**
 * The text of a function node: its data first, because that is what a person looks for.
 * @param parts what stands in front of the code, by the names of the constants
 */
export function functionText(
  head: string,
  parts: Readonly<Record<string, unknown>>,
  code: string,
  call: string,
): string {
  const data = Object.entries(parts).map(([name, value]) => `const ${name} = ${literalOf(value)};\n\n`);
  return `// ${head}\n${data.join('')}${code}\n${call}\n`;
}

/** JSON as JavaScript, in which a member called `__proto__` would be no member. */
function literalOf(value: unknown): string {
  return JSON.stringify(value, null, 1).replaceAll('"__proto__":', '["__proto__"]:');
}

/** @param scope ids of the nodes whose errors it takes; null: all of the tab */
export function catchNode(
  id: string,
  name: string,
  scope: readonly string[] | null,
  wires: string[][],
): FlowNode {
  return { id, type: 'catch', name, scope, uncaught: false, wires };
}

/** Errors of a tab, where a person sees them. */
export function addErrors(canvas: Canvas, ids: Ids, texts: FlowTexts): void {
  const debug = ids('errors', 'debug');
  canvas.comment(ids('errors'), texts.errors, texts.errorsInfo);
  canvas.add(0, catchNode(ids('errors', 'catch'), texts.anyError, null, [[debug]]));
  canvas.add(1, debugNode(debug, texts.problem, 'error.message'));
}

export interface OwnNodeOptions {
  name: string;
  /** Id of the gateway's `alink-device` node. */
  device: string;
}

export function propertyPostNode(id: string, { name, device }: OwnNodeOptions): FlowNode {
  return {
    id,
    type: 'alink-property-post',
    name,
    device,
    ...REPORT,
    packWindow: PACK_WINDOW_MS,
    wires: [[]],
  };
}

export function eventOutNode(id: string, { name, device }: OwnNodeOptions): FlowNode {
  return { id, type: 'alink-event-out', name, device, ...REPORT, wires: [[]] };
}

/** Polling makes many small reports; a gateway has one connection for all of them (D). */
const PACK_WINDOW_MS = '200';

const REPORT = {
  identifier: '',
  value: 'payload',
  valueType: 'msg',
  time: '',
  timeType: 'none',
  timeout: '',
  packWindow: '',
} as const;

export function propertySetNode(id: string, { name, device }: OwnNodeOptions, wires: string[][]): FlowNode {
  return {
    id,
    type: 'alink-property-set',
    name,
    device,
    reply: 'flow',
    timeLimit: '10',
    get: 'reported',
    // What cannot be written is refused by the function, which knows it for each device.
    unknown: 'pass',
    output: 'object',
    desired: false,
    subDevices: true,
    wires,
  };
}

export function serviceInNode(id: string, { name, device }: OwnNodeOptions, wires: string[][]): FlowNode {
  return {
    id,
    type: 'alink-service-in',
    name,
    device,
    identifier: '',
    reply: 'flow',
    timeLimit: '10',
    subDevices: true,
    wires,
  };
}

export function serviceReplyNode(id: string, name: string): FlowNode {
  return {
    id,
    type: 'alink-service-reply',
    name,
    code: 'code',
    codeType: 'msg',
    message: 'reason',
    messageType: 'msg',
    value: 'payload',
    valueType: 'msg',
    wires: [],
  };
}
