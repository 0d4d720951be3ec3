import type { Member, ThingModel } from '../../thing-model';
import { kindOf } from '../plan';
import type { OpcUaDevice, OpcUaParameter, OpcUaServer } from '../types';
import {
  addErrors,
  Canvas,
  eventOutNode,
  type FlowNode,
  functionNode,
  functionText,
  type Ids,
  idsOf,
  injectNode,
  propertyPostNode,
  propertySetNode,
  serviceInNode,
  serviceReplyNode,
  tabLabel,
  wayBack,
} from './canvas';
import type { OpcUaModel, OpcUaPlan, PlannedParameter } from './opcua-state';
import type { GeneratedFlowOptions } from './options';
import { opcUaText } from './texts/opcua-text';
import { flowTexts, wordsOf } from './words';

/** The document has no polling time for OPC UA. */
const POLLING_MS = 1000;

/** Another name when what the function keeps takes another form: it outlives the import of a newer flow. */
const STATE = 'plan 2';

/** The tab of one OPC UA server with all devices behind it, and its endpoint (H.1). */
export function opcUaTab(
  server: OpcUaServer,
  devices: readonly OpcUaDevice[],
  ids: Ids,
  options: GeneratedFlowOptions,
): FlowNode[] {
  const { gateway, language } = options;
  const texts = flowTexts(language);
  const id = (...parts: string[]) => ids('opcua', server.serverId, ...parts);
  const info = texts.serverInfo(devices.length, 'node-red-contrib-opcua');
  const canvas = new Canvas(id('tab'), tabLabel(server.name, options), info);
  const [work, client, back, report, event, reply] = [
    id('work'),
    id('client'),
    id('back'),
    id('report'),
    id('event'),
    id('reply'),
  ] as const;
  const data: Omit<OpcUaPlan, 'version'> = {
    devices: devices.map(({ productKey, deviceName, displayNamePath }) => [
      productKey,
      deviceName,
      displayNamePath,
    ]),
    models: Object.fromEntries(devices.map((device) => [device.productKey, modelOf(device)])),
  };
  const plan: OpcUaPlan = { version: idsOf(STATE)(JSON.stringify(data)), ...data };
  const call = 'return opcUa(plan, msg, flow, node, Date.now(), words);';
  const text = functionText(
    texts.functionHead,
    { plan, words: wordsOf(opcUaText, language) },
    opcUaText,
    call,
  );
  canvas.comment(id('section'), texts.opcUa, texts.opcUaInfo);
  const clock = injectNode(id('clock'), texts.every(String(POLLING_MS / 1000)), POLLING_MS, 0, [[work]]);
  const inputs = [
    { ...clock, props: [{ p: 'topic', vt: 'str' }], topic: 'tick', payload: '', payloadType: 'date' },
    propertySetNode(id('set'), { name: texts.propertySet, device: gateway }, [[work]]),
    serviceInNode(id('service'), { name: texts.service, device: gateway }, [[work]]),
  ];
  const outputs = [
    clientNode(client, texts.opcUaClient, id('endpoint'), [[back], [back], [back]]),
    propertyPostNode(report, { name: texts.report, device: gateway }),
    eventOutNode(event, { name: texts.event, device: gateway }),
    serviceReplyNode(reply, texts.reply),
  ];
  const [start, end] = wayBack(id('answers'), texts.opcUaAnswers, work, [back]);
  for (const [row, node] of [...inputs, ...(start ? [start] : [])].entries()) canvas.add(0, node, row);
  const wires = [[client], [report], [event], [reply]];
  const labels = [texts.opcUaClient, texts.report, texts.event, texts.reply];
  canvas.add(1, functionNode(work, texts.opcUaFunction, text, wires, { labels }), 1.5);
  // Farther away, so that the status of the function has room: it says what is wrong at some length.
  for (const [row, node] of outputs.entries()) canvas.add(2.5, node, row);
  if (end) canvas.add(3.5, end);
  canvas.down(outputs.length);
  canvas.gap();
  addErrors(canvas, id, texts);
  // Not on the tab: a password that was entered stays when the tab is replaced.
  return [...canvas.nodes, endpointNode(id('endpoint'), server, options)];
}

function modelOf({ model: { properties, services, events }, thingModel }: OpcUaDevice): OpcUaModel {
  const kind = (identifier: string) => {
    const definition = thingModel?.properties.get(identifier);
    const found = definition && kindOf(definition.dataType);
    return found === undefined ? {} : { kind: found };
  };
  return {
    properties: properties.map((property) => ({ ...property, ...kind(property.identifier) })),
    services: services.map((service) => {
      const definition = thingModel?.services.get(service.identifier);
      return {
        ...service,
        inputData: parameters(service.inputData, definition?.inputData),
        outputData: parameters(service.outputData, definition?.outputData),
      };
    }),
    events: events.map((event) => ({
      ...event,
      outputData: parameters(event.outputData, eventOf(thingModel, event.identifier)),
    })),
  };
}

function eventOf(thingModel: ThingModel | undefined, identifier: string): readonly Member[] | undefined {
  return thingModel?.events.get(identifier)?.outputData;
}

function parameters(list: readonly OpcUaParameter[], members: readonly Member[] = []): PlannedParameter[] {
  return list.map((parameter) => {
    const dataType = members.find(({ identifier }) => identifier === parameter.identifier)?.dataType;
    if (dataType === undefined) return parameter;
    const kind = kindOf(dataType);
    const isNumber = ['int', 'float', 'double', 'bool', 'enum'].includes(dataType.type);
    return { ...parameter, ...(kind === undefined ? {} : { kind }), ...(isNumber ? { empty: 0 } : {}) };
  });
}

function clientNode(id: string, name: string, endpoint: string, wires: string[][]): FlowNode {
  return {
    id,
    type: 'OpcUa-Client',
    endpoint,
    action: 'read',
    deadbandtype: 'a',
    deadbandvalue: 1,
    // How often events come.
    time: 1,
    timeUnit: 's',
    certificate: 'n',
    localfile: '',
    localkeyfile: '',
    securitymode: 'None',
    securitypolicy: 'None',
    useTransport: false,
    maxChunkCount: 1,
    maxMessageSize: 8192,
    receiveBufferSize: 8192,
    sendBufferSize: 8192,
    setstatusandtime: false,
    keepsessionalive: false,
    name,
    applicationName: '',
    applicationUri: '',
    wires,
  };
}

function endpointNode(
  id: string,
  { serverId, name, url, userName, securityPolicy, securityMode }: OpcUaServer,
  { passwords }: GeneratedFlowOptions,
): FlowNode {
  const password = passwords?.get(serverId);
  return {
    id,
    type: 'OpcUa-Endpoint',
    name,
    endpoint: url,
    secpol: securityPolicy,
    secmode: securityMode,
    none: userName === undefined,
    login: userName !== undefined,
    usercert: false,
    usercertificate: '',
    userprivatekey: '',
    ...(userName === undefined
      ? {}
      : { credentials: { user: userName, ...(password === undefined ? {} : { password }) } }),
  };
}
