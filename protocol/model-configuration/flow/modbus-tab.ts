import { type ModbusPlan, planModbusDevice } from '../plan';
import type { ModbusDevice, ModbusServer } from '../types';
import {
  addErrors,
  Canvas,
  catchNode,
  type FlowNode,
  functionNode,
  functionText,
  type Ids,
  injectNode,
  propertyPostNode,
  propertySetNode,
  serviceReplyNode,
  tabLabel,
  wayBack,
} from './canvas';
import type { AskPlan } from './modbus-ask';
import type { DecodePlan } from './modbus-decode';
import type { WritePlan } from './modbus-write';
import type { GeneratedFlowOptions } from './options';
import { askText } from './texts/modbus-ask-text';
import { decodeText } from './texts/modbus-decode-text';
import { writeText } from './texts/modbus-write-text';
import { flowTexts, wordsOf } from './words';

/** What has no answer is tried again by the clocks; where they are slower than this, by one of its own. */
const RETRY_MS = 5000;

/** The tab of one Modbus server with all devices behind it, and its client (H.1). */
export function modbusTab(
  server: ModbusServer,
  devices: readonly ModbusDevice[],
  ids: Ids,
  options: GeneratedFlowOptions,
): FlowNode[] {
  const texts = flowTexts(options.language);
  const id = (...parts: string[]) => ids('modbus', server.serverId, ...parts);
  const plans = devices.map((device) =>
    planModbusDevice(device, options.gap === undefined ? {} : { gap: options.gap }),
  );
  const client = id('client');
  const info = texts.serverInfo(devices.length, 'node-red-contrib-modbus');
  const canvas = new Canvas(id('tab'), tabLabel(server.name, options), info);
  if (plans.some(({ reads }) => reads.length > 0)) addPolling(canvas, id, plans, client, options);
  if (plans.some(({ writes }) => writes.length > 0)) addWriting(canvas, id, plans, client, options);
  addErrors(canvas, id, texts);
  // On the tab, so that it goes with the tab.
  return [...canvas.nodes, { ...clientNode(client, server, options), z: canvas.id }];
}

function addPolling(
  canvas: Canvas,
  id: Ids,
  plans: readonly ModbusPlan[],
  client: string,
  { language, gateway }: GeneratedFlowOptions,
): void {
  const texts = flowTexts(language);
  const times = new Set(plans.flatMap(({ reads }) => reads.map(({ pollingTime }) => pollingTime)));
  const [ask, read, decode, report] = [id('ask'), id('read'), id('decode'), id('report')] as const;
  canvas.comment(id('poll'), texts.poll, texts.pollInfo);
  const askPlan: AskPlan = {
    reads: byProduct(plans, ({ reads }) =>
      reads.map(({ fc, address, quantity, pollingTime }) => ({ fc, address, quantity, pollingTime })),
    ),
    devices: plans.map(({ productKey, deviceName, unitId }) => [productKey, deviceName, unitId]),
  };
  const decodePlan: DecodePlan = { reads: byProduct(plans, ({ reads }) => reads) };
  canvas.add(
    1,
    functionNode(
      ask,
      texts.ask,
      functionText(
        texts.functionHead,
        { plan: askPlan },
        askText,
        'return ask(plan, msg, flow, Date.now());',
      ),
      [[read]],
      { forget: ['polling', 'absent'] },
    ),
  );
  canvas.add(2, {
    ...flexNode(read, 'modbus-flex-getter', texts.read, client),
    ...GETTER,
    wires: [[decode], []],
  });
  canvas.add(
    3,
    functionNode(
      decode,
      texts.decode,
      functionText(
        texts.functionHead,
        { plan: decodePlan, words: wordsOf(decodeText, language) },
        decodeText,
        'return decode(plan, msg, flow, node, Date.now(), words);',
      ),
      [[report], [ask]],
      { labels: [texts.report, texts.ask], forget: ['reported', 'told', 'answeredAt'] },
    ),
  );
  // Lower than the function, whose status says what is wrong at some length.
  canvas.add(4, propertyPostNode(report, { name: texts.report, device: gateway }), 1);
  for (const time of [...times].sort((a, b) => a - b)) {
    canvas.add(
      0,
      injectNode(id('clock', String(time)), texts.every(String(time / 1000)), time, time, [[ask]]),
    );
    canvas.down();
  }
  canvas.add(2, catchNode(id('notReported'), texts.notReported, [report], [[decode]]));
  canvas.down();
  if (Math.min(...times) > RETRY_MS) {
    canvas.add(0, injectNode(id('retry'), texts.again, RETRY_MS, 0, [[ask]]));
    canvas.down();
  }
  canvas.gap();
}

function addWriting(
  canvas: Canvas,
  id: Ids,
  plans: readonly ModbusPlan[],
  client: string,
  { language, gateway }: GeneratedFlowOptions,
): void {
  const texts = flowTexts(language);
  const [set, encode, write, read, reply] = [
    id('set'),
    id('encode'),
    id('write'),
    id('readFirst'),
    id('reply'),
  ] as const;
  canvas.comment(id('writing'), texts.write, texts.writeInfo);
  const plan: WritePlan = {
    writes: byProduct(plans, ({ writes }) => writes),
    devices: plans.map(({ productKey, deviceName, unitId }) => [productKey, deviceName, unitId]),
  };
  const hasBits = plans.some(({ writes }) => writes.some(({ format }) => format.bitMask !== undefined));
  const text = functionText(
    texts.functionHead,
    { plan, words: wordsOf(writeText, language) },
    writeText,
    'return write(plan, msg, flow, Date.now(), words);',
  );
  const ways = hasBits ? [id('back', 'write'), id('back', 'read')] : [id('back', 'write')];
  const [start, ...ends] = wayBack(id('answers'), texts.answers, encode, ways);
  const [writeBack, readBack] = ways.map((way) => [[way], []]);
  const requests = [
    { ...flexNode(write, 'modbus-flex-write', texts.writeRegisters, client), wires: writeBack ?? [] },
    ...(readBack
      ? [{ ...flexNode(read, 'modbus-flex-getter', texts.readFirst, client), ...GETTER, wires: readBack }]
      : []),
  ];
  canvas.add(0, propertySetNode(set, { name: texts.propertySet, device: gateway }, [[encode]]));
  if (start) canvas.add(0, start, 1);
  const outputs = [[write], hasBits ? [read] : [], [reply]];
  const labels = [texts.writeRegisters, texts.readFirst, texts.reply];
  canvas.add(
    1,
    functionNode(encode, texts.encode, text, outputs, { labels, forget: ['bits'] }),
    requests.length / 2,
  );
  for (const [row, node] of requests.entries()) canvas.add(2, node, row);
  for (const [row, node] of ends.entries()) canvas.add(3, node, row);
  canvas.add(2, serviceReplyNode(reply, texts.reply), requests.length);
  canvas.down(requests.length + 1);
  canvas.gap();
}

/** What all devices of a product have in common stands there once. */
function byProduct<T>(plans: readonly ModbusPlan[], pick: (plan: ModbusPlan) => T): Record<string, T> {
  return Object.fromEntries(plans.map((plan) => [plan.productKey, pick(plan)]));
}

function flexNode(id: string, type: string, name: string, server: string): FlowNode {
  return {
    id,
    type,
    name,
    showStatusActivities: false,
    showErrors: true,
    showWarnings: true,
    server,
    // A device that is away must be told from one that is slow.
    emptyMsgOnFail: true,
    keepMsgProperties: true,
    delayOnStart: false,
    startDelayTime: '',
  };
}

const GETTER = {
  // The function behind it tells once what this node would tell with each poll.
  showErrors: false,
  showWarnings: false,
  logIOActivities: false,
  useIOFile: false,
  ioFile: '',
  useIOForPayload: false,
  enableDeformedMessages: false,
} as const;

/** One for each server: a client that several servers share would mix their readings. */
function clientNode(id: string, server: ModbusServer, { serialPorts }: GeneratedFlowOptions): FlowNode {
  const common = {
    id,
    type: 'modbus-client',
    name: server.name,
    bufferCommands: true,
    stateLogEnabled: false,
    queueLogEnabled: false,
    failureLogEnabled: true,
    unit_id: 1,
    commandDelay: 1,
    clientTimeout: 1000,
    reconnectOnTimeout: true,
    reconnectTimeout: 2000,
    showErrors: false,
    showWarnings: true,
    showLogs: true,
  };
  if (server.kind === 'tcp') {
    const { host, port } = server;
    return {
      ...common,
      clienttype: 'tcp',
      tcpHost: host,
      tcpPort: port,
      tcpType: 'DEFAULT',
      ...SERIAL,
      parallelUnitIdsAllowed: true,
    };
  }
  const { serialPort, baudRate, dataBits, stopBits, parity } = server;
  return {
    ...common,
    clienttype: 'simpleser',
    tcpHost: '127.0.0.1',
    tcpPort: 502,
    tcpType: 'DEFAULT',
    ...SERIAL,
    serialPort: serialPorts?.get(serialPort) ?? serialPort,
    serialBaudrate: baudRate,
    serialDatabits: dataBits,
    serialStopbits: stopBits,
    serialParity: parity,
    // A serial line carries one request at a time.
    parallelUnitIdsAllowed: false,
  };
}

const SERIAL = {
  serialPort: '/dev/ttyUSB',
  serialType: 'RTU-BUFFERD',
  serialBaudrate: 9600,
  serialDatabits: 8,
  serialStopbits: 1,
  serialParity: 'none',
  serialConnectionDelay: 100,
  serialAsciiResponseStartDelimiter: '0x3A',
} as const;
