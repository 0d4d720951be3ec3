import { CHINESE as CHINESE_SENTENCES } from '../chinese';
import type { Words } from '../said';
import { isChinese } from '../spoken-problem';

/** What a generated flow says to people. */
export interface FlowTexts {
  gatewayTab: string;
  gatewayInfo: string;
  online: string;
  onlineInfo: string;
  state: string;
  stateInfo: (list: string) => string;
  list: string;
  login: string;
  loginResult: string;
  poll: string;
  pollInfo: string;
  every: (seconds: string) => string;
  again: string;
  ask: string;
  read: string;
  decode: string;
  report: string;
  notReported: string;
  write: string;
  writeInfo: string;
  propertySet: string;
  encode: string;
  writeRegisters: string;
  readFirst: string;
  reply: string;
  errors: string;
  errorsInfo: string;
  anyError: string;
  problem: string;
  serverInfo: (devices: number, collection: string) => string;
  opcUa: string;
  opcUaInfo: string;
  opcUaFunction: string;
  opcUaClient: string;
  opcUaAnswers: string;
  answers: string;
  service: string;
  event: string;
  functionHead: string;
}

const ENGLISH: FlowTexts = {
  gatewayTab: 'Gateway',
  gatewayInfo:
    'Made from the model configuration of the platform: change it there rather than in these nodes. Before a newer flow is imported delete this tab and those of its servers.',
  online: '1. The sub-devices come online',
  onlineInfo:
    'Each time the gateway is online all sub-devices of the configuration are registered where they have no secret yet, added to the topology and logged in.',
  state: 'gateway',
  stateInfo: (list) => `Says that the gateway is online, also after each deploy with another list (${list}).`,
  list: 'all sub-devices',
  login: 'log in',
  loginResult: 'who is online',
  poll: '1. Poll, decode, report',
  pollInfo:
    'Each polling time has a clock. One request is on its way at a time, and what has no answer yet is not asked twice, so a slow server is polled less often. The list of requests and the place of each value stand at the beginning of the functions.',
  every: (seconds) => `every ${seconds} s`,
  again: 'what was not answered',
  ask: 'what to read',
  read: 'read',
  decode: 'decode',
  report: 'report',
  notReported: 'not reported',
  write: '2. Write what the platform sets',
  writeInfo:
    'The platform is told 200 when the device has taken all values, 400 when it has not, 460 when a value does not fit; then nothing is written. Some bits of a register are written by reading it first.',
  propertySet: 'property set',
  encode: 'encode',
  writeRegisters: 'write',
  readFirst: 'read first',
  reply: 'answer',
  errors: 'Errors',
  errorsInfo:
    'What fails on this tab is shown in the debug sidebar. To do more with it, wire further nodes to the catch node.',
  anyError: 'any error',
  problem: 'what went wrong',
  serverInfo: (devices, collection) =>
    `${devices === 1 ? '1 device' : `${devices} devices`} behind this server, over one connection. Needs ${linkTo(collection)}: nodes of unknown type come from there; install it (menu > Manage palette), then deploy.`,
  opcUa: '1. Find, poll, report, write, call',
  opcUaInfo:
    'The function finds the devices by their display names and polls their variables; what has changed is reported. Properties that the platform sets are written, services are calls of methods, events are reported by the indices of the configuration. The password of the server is entered in its endpoint node.',
  opcUaFunction: 'devices of the server',
  opcUaClient: 'client',
  opcUaAnswers: 'what the client says',
  answers: 'what the devices say',
  service: 'service',
  event: 'event',
  functionHead:
    'Made by node-red-contrib-alink from its own tested code, so that it needs nothing else. Do not change it here: it is replaced when the flow is made again.',
};

const CHINESE: FlowTexts = {
  gatewayTab: '网关',
  gatewayInfo:
    '由平台下发的网关模型配置生成。请在平台上修改配置，不要直接修改这些节点。导入新生成的流程之前，请先删除本标签页和各服务器的标签页。',
  online: '1. 子设备上线',
  onlineInfo: '网关每次上线后，配置中的所有子设备都会登录：没有密钥的先注册，不在拓扑中的先添加。',
  state: '网关状态',
  stateInfo: (list) => `网关上线时发出消息；部署了新的子设备列表（${list}）后也会发出。`,
  list: '全部子设备',
  login: '登录',
  loginResult: '上线结果',
  poll: '1. 采集、解码、上报',
  pollInfo:
    '每个采集间隔对应一个定时器。同一时刻只有一个请求在途，未应答的请求不会重复发出，因此服务器较慢时采集会相应变慢。请求列表和各数据的位置写在函数开头。',
  every: (seconds) => `每 ${seconds} 秒`,
  again: '重试未应答的请求',
  ask: '生成读取请求',
  read: '读取',
  decode: '解码',
  report: '上报',
  notReported: '上报失败',
  write: '2. 写入平台设置的属性',
  writeInfo:
    '设备全部写入成功后回复 200，写入失败回复 400；值不符合要求时回复 460，且不写入任何值。只写寄存器中的部分位时，先读出再写回。',
  propertySet: '属性设置',
  encode: '编码',
  writeRegisters: '写入',
  readFirst: '先读取',
  reply: '回复',
  errors: '错误',
  errorsInfo: '本标签页中的错误显示在调试侧边栏。如需进一步处理，可在捕获节点之后连接其他节点。',
  anyError: '所有错误',
  problem: '出错原因',
  serverInfo: (devices, collection) =>
    `该服务器下有 ${devices} 台设备，共用一个连接。需要 ${linkTo(collection)}：若有未知类型的节点，请在“菜单 > 节点管理”中安装后重新部署。`,
  opcUa: '1. 查找、采集、上报、写入、调用',
  opcUaInfo:
    '函数按显示名称查找设备并轮询其变量，变化的值会上报。平台设置的属性会写入变量，服务对应方法调用，事件按配置中的索引上报。服务器密码请在端点节点中填写。',
  opcUaFunction: '该服务器下的设备',
  opcUaClient: '客户端',
  opcUaAnswers: '客户端的输出',
  answers: '设备的应答',
  service: '服务调用',
  event: '事件',
  functionHead:
    '由 node-red-contrib-alink 用经过测试的代码生成，不依赖其他模块。请勿在此修改：重新生成流程时会被替换。',
};

/** @param language of the runtime; English unless it begins with zh */
export function flowTexts(language: string | undefined): FlowTexts {
  return isChinese(language) ? CHINESE : ENGLISH;
}

/**
 * What a function node says in another language than that of its text.
 * @param code its text, in which the English sentences stand as they are
 */
export function wordsOf(code: string, language: string | undefined): Words {
  const all = isChinese(language) ? Object.entries(CHINESE_SENTENCES) : [];
  return Object.fromEntries(all.filter(([sentence]) => code.includes(sentence)));
}

/** Notes are Markdown. @param collection of nodes */
function linkTo(collection: string): string {
  return `[${collection}](https://flows.nodered.org/node/${collection})`;
}
