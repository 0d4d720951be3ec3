import type { ModbusServer, ModelServer, OpcUaServer, RtuServer } from '../types';
import { type Entry, field, needText, number, type Problems, readNumber, show, text, under } from './fields';

const LONGEST = { id: 128, name: 128, address: 255, url: 1024, password: 4096 } as const;
const POLICIES = ['None', 'Basic128Rsa15', 'Basic256'] as const;
const MODES = ['None', 'Sign', 'SignAndEncrypt'] as const;
// The guide prints letters, its example the number 1; the numbers are those of common serial libraries.
const PARITY: ReadonlyMap<string, RtuServer['parity']> = new Map([
  ['N', 'none'],
  ['NONE', 'none'],
  ['0', 'none'],
  ['O', 'odd'],
  ['ODD', 'odd'],
  ['1', 'odd'],
  ['E', 'even'],
  ['EVEN', 'even'],
  ['2', 'even'],
]);

/** Reads one entry of `serverList` (H.1). @returns undefined when it cannot be used; the problem says why */
export function readServer(entry: Entry, problems: Problems): ModelServer | undefined {
  const serverId = needText(entry, 'serverId', LONGEST.id, problems);
  if (serverId === undefined) return undefined;
  const known = { serverId, name: text(entry, 'name', LONGEST.name) ?? serverId };
  const protocol = field(entry.body, 'protocol');
  if (protocol === undefined || protocol === '') return readOpcUa(entry, known, problems);
  switch (typeof protocol === 'string' ? protocol.toUpperCase() : '') {
    case 'TCP':
      return readTcp(entry, known, problems);
    case 'RTU':
      return readRtu(entry, known, problems);
    default:
      return problems.leftOut(under(entry.path, 'protocol'), '{value} is neither TCP nor RTU', {
        value: show(protocol),
      });
  }
}

type Known = Pick<ModelServer, 'serverId' | 'name'>;

function readTcp(entry: Entry, known: Known, problems: Problems): ModbusServer | undefined {
  const host = text(entry, 'ip', LONGEST.address);
  if (host === undefined || !/^[A-Za-z0-9._:%[\]-]+$/.test(host)) {
    return problems.leftOut(under(entry.path, 'ip'), '{value} is not an address', {
      value: show(field(entry.body, 'ip')),
    });
  }
  const port = number(entry, 'port', { least: 1, most: 65_535, whole: true, assumed: 502 }, problems);
  return { kind: 'tcp', ...known, host, port };
}

function readRtu(entry: Entry, known: Known, problems: Problems): ModbusServer | undefined {
  const serialPort = needText(entry, 'serialPort', LONGEST.address, problems);
  if (serialPort === undefined) return undefined;
  const rate = { least: 50, most: 10_000_000, whole: true, assumed: 9600 };
  const dataBits = number(entry, 'byteSize', { least: 5, most: 8, whole: true, assumed: 8 }, problems);
  const stopBits = number(entry, 'stopBits', { least: 1, most: 2, assumed: 1 }, problems);
  return {
    kind: 'rtu',
    ...known,
    serialPort,
    baudRate: number(entry, 'baudRate', rate, problems),
    dataBits: dataBits === 5 || dataBits === 6 || dataBits === 7 ? dataBits : 8,
    stopBits: stopBits === 2 || stopBits === 1.5 ? stopBits : 1,
    parity: readParity(entry, problems),
  };
}

function readParity(entry: Entry, problems: Problems): RtuServer['parity'] {
  const value = field(entry.body, 'parity');
  if (value === undefined || value === '') return 'none';
  const parity = PARITY.get(typeof value === 'object' ? '' : String(value).trim().toUpperCase());
  if (parity === undefined) {
    problems.assumed(under(entry.path, 'parity'), '{value} is not N, O or E; no parity is taken', {
      value: show(value),
    });
    return 'none';
  }
  return parity;
}

function readOpcUa(entry: Entry, known: Known, problems: Problems): OpcUaServer | undefined {
  const url = needText(entry, 'url', LONGEST.url, problems);
  if (url === undefined) return undefined;
  if (!/^opc\.(tcp|https?|wss?):\/\//i.test(url)) {
    problems.assumed(
      under(entry.path, 'url'),
      '{value} does not begin with opc.tcp://; it is kept as it is',
      { value: show(url) },
    );
  }
  const userName = text(entry, 'userName', LONGEST.name);
  const password = field(entry.body, 'password');
  const hasPassword = typeof password === 'string' && password !== '' && password.length <= LONGEST.password;
  if (password !== undefined && password !== '' && !hasPassword) {
    problems.assumed(under(entry.path, 'password'), 'is not text; none is taken');
  }
  const timeout = readNumber(field(entry.body, 'timeout') ?? '');
  return {
    kind: 'opcua',
    ...known,
    url,
    ...(userName === undefined ? {} : { userName }),
    ...(hasPassword ? { encryptedPassword: password } : {}),
    securityPolicy: choose(entry, 'secPolicy', POLICIES, problems) ?? 'None',
    securityMode: choose(entry, 'secMode', MODES, problems) ?? 'None',
    ...(timeout === undefined || timeout <= 0 ? {} : { timeout }),
  };
}

/** A setting of security that is not known must not become none. */
function choose<T extends string>(
  entry: Entry,
  name: string,
  choices: readonly T[],
  problems: Problems,
): T | undefined {
  const value = field(entry.body, name);
  if (value === undefined || value === '') return undefined;
  const chosen = choices.find((choice) => choice === value);
  if (chosen !== undefined) return chosen;
  const strictest = choices.at(-1);
  problems.assumed(under(entry.path, name), '{value} is not one of {choices}; {strictest} is taken', {
    value: show(value),
    choices: choices.join(', '),
    strictest: strictest ?? '',
  });
  return strictest;
}
