import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { type DeviceIdentity, isJsonObject, type Json, parseJson, topicMatches } from '../../protocol';
import type { Exchange } from '../exchanges';
import { FaultInputError, readFaultRule } from '../fault-input';
import type { PlatformMessage } from '../forwarding/message-log';
import type { Emulator } from '../types';
import type { PanelAnswer } from './panel-answer';
import { answerFirmwarePanel } from './panel-firmware';

/**
 * Whether a request may use the panel: from this machine only, addressed by a local name (a foreign name that resolves
 * here is an attack), and not by a page of another origin in a browser.
 */
export function mayUsePanel(request: IncomingMessage): boolean {
  const { remoteAddress = '' } = request.socket;
  const address = remoteAddress.replace(/^::ffff:/, '');
  if (!address.startsWith('127.') && address !== '::1') return false;
  const host = request.headers.host ?? '';
  const name = host.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  if (name !== 'localhost' && isIP(name) === 0) return false;
  const { origin } = request.headers;
  if (origin === undefined) return request.headers['sec-fetch-site'] !== 'cross-site';
  return origin === `http://${host}` || origin === `https://${host}`;
}

/** The fault panel and the exchange log under `/emulator/`. */
export async function answerPanel(
  emulator: Emulator,
  method: string,
  url: URL,
  body: Buffer,
): Promise<PanelAnswer> {
  const path = url.pathname.slice('/emulator/'.length).replace(/\/$/, '');
  try {
    if (path === '' && method === 'GET') return ok(overview(emulator));
    if (path === 'exchanges' && method === 'GET') return listExchanges(emulator, url.searchParams);
    if (path === 'messages' && method === 'GET') return listMessages(emulator, url.searchParams);
    if (path === 'devices' && method === 'GET') return ok(emulator.devices.list());
    if (path === 'faults' && method === 'GET') return ok({ rules: emulator.faults.list() });
    if (path === 'faults' && method === 'POST') return await changeFaults(emulator, parseJson(body));
    if (path === 'faults' && method === 'DELETE') {
      await emulator.faults.clear();
      return ok({ rules: [] });
    }
    const [, id] = /^faults\/(\d+)$/.exec(path) ?? [];
    if (id !== undefined && method === 'DELETE') {
      return emulator.faults.remove(Number(id)) ? ok({}) : failed(404, 'there is no such rule');
    }
    const answered = await answerFirmwarePanel(emulator, method, path, () => readInput(body));
    if (answered !== undefined) return answered;
    const [, productKey, deviceName, log] = /^devices\/([^/]+)\/([^/]+)(\/log)?$/.exec(path) ?? [];
    if (productKey !== undefined && deviceName !== undefined) {
      const identity = {
        productKey: decodeURIComponent(productKey),
        deviceName: decodeURIComponent(deviceName),
      };
      if (log !== undefined && method === 'POST') return changeLog(emulator, identity, parseJson(body));
      if (log !== undefined || method !== 'GET') return failed(405, 'GET the device, or POST its log mode');
      const device = emulator.devices.get(identity);
      return device === undefined ? failed(404, 'there is no such device') : ok(device);
    }
    return failed(404, 'there is no such page');
  } catch (thrown) {
    return failed(400, thrown instanceof Error ? thrown.message : 'bad request');
  }
}

/** JSON, or nothing. */
function readInput(body: Buffer): Json {
  return body.length === 0 ? {} : parseJson(body);
}

function changeLog(emulator: Emulator, identity: DeviceIdentity, input: Json): PanelAnswer {
  const mode = isJsonObject(input) ? input.mode : undefined;
  if (mode !== 0 && mode !== 1) return failed(400, 'mode is 0 or 1');
  return ok({ delivery: emulator.devices.setLogMode(identity, mode) });
}

async function changeFaults(emulator: Emulator, input: Json): Promise<PanelAnswer> {
  const { faults } = emulator;
  if (!isJsonObject(input)) throw new FaultInputError('a fault rule is an object');
  switch (input.command) {
    case undefined:
      return { status: 201, body: { id: faults.add(readFaultRule(input)) } };
    case 'kick': {
      const { productKey, deviceName } = input;
      if (typeof productKey !== 'string' || typeof deviceName !== 'string') {
        throw new FaultInputError('kick needs productKey and deviceName');
      }
      return ok({ kicked: faults.kick({ productKey, deviceName }) });
    }
    case 'dropConnections':
      faults.dropConnections();
      return ok({});
    case 'stopListening':
      await faults.stopListening();
      return ok({});
    case 'startListening':
      await faults.startListening();
      return ok({});
    case 'goSilent':
      faults.goSilent(input.silent !== false);
      return ok({});
    case 'expireTokens':
      faults.expireTokens();
      return ok({});
    default:
      throw new FaultInputError(
        'command is one of kick, dropConnections, stopListening, startListening, goSilent, expireTokens',
      );
  }
}

function listExchanges(emulator: Emulator, query: URLSearchParams): PanelAnswer {
  const since = Number(query.get('since') ?? 0);
  const wanted = (exchange: Exchange) =>
    exchange.seq > since &&
    (['kind', 'operation', 'topic'] as const).every((name) => fits(query, name, exchange[name])) &&
    fits(query, 'productKey', exchange.identity?.productKey) &&
    fits(query, 'deviceName', exchange.identity?.deviceName);
  return listed(emulator.exchanges.list(wanted), query);
}

function listMessages(emulator: Emulator, query: URLSearchParams): PanelAnswer {
  const since = Number(query.get('since') ?? 0);
  const filter = query.get('topic');
  const wanted = (message: PlatformMessage) =>
    message.seq > since &&
    (filter === null || topicMatches(filter, message.topic)) &&
    fits(query, 'productKey', message.identity.productKey) &&
    fits(query, 'deviceName', message.identity.deviceName);
  return listed(emulator.messages.list(wanted), query);
}

function listed(list: ReadonlyArray<Exchange | PlatformMessage>, query: URLSearchParams): PanelAnswer {
  if (query.get('format') !== 'text') return ok(list);
  return { status: 200, body: undefined, text: list.map((entry) => `${entry}\n`).join('') };
}

function fits(query: URLSearchParams, name: string, value: string | undefined): boolean {
  const wanted = query.get(name);
  return wanted === null || wanted === value;
}

function overview(emulator: Emulator): object {
  return {
    addresses: emulator.addresses,
    devices: '/emulator/devices',
    exchanges: '/emulator/exchanges?format=text',
    messages: '/emulator/messages?format=text',
    faults: '/emulator/faults',
    firmware: '/emulator/firmware',
    downloads: '/emulator/downloads',
  };
}

function ok(body: unknown): PanelAnswer {
  return { status: 200, body };
}

function failed(status: number, message: string): PanelAnswer {
  return { status, body: { error: message } };
}
