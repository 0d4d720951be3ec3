import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { authenticateDevice, registerDevice } from '../auth/https';
import type { AccessKey } from '../config';
import { FILES_PATH } from '../files/file-server';
import { answerOpenApi } from '../openapi/endpoint';
import type { Platform } from '../platform';
import type { Emulator } from '../types';
import { BodyError, LARGEST_BODY_BYTES, LARGEST_CALL_BYTES, readBody, readFields } from './body';
import { answerFile } from './file-door';
import { acceptFirmware, readUpload } from './firmware-door';
import { answerPanel, mayUsePanel } from './panel';
import { addUploadedFirmware } from './panel-firmware';
import { UPLOAD_PATH } from './upload-path';

export interface HttpContext {
  platform: Platform;
  emulator: Emulator;
  accessKeys: readonly AccessKey[];
}

/** Without configured access keys the OpenAPI takes this pair, so that a first try needs no configuration. */
const STANDARD_KEYS: readonly AccessKey[] = [{ id: 'emulator', secret: 'emulator' }];

/** The HTTP door: device authentication and registration, the panel, the OpenAPI. */
export function createHttpHandler(context: HttpContext): RequestListener {
  return (request, response) => {
    answer(context, request, response).catch((thrown: unknown) => {
      const status = thrown instanceof BodyError ? thrown.status : 500;
      if (status === 500) context.platform.log(`HTTP request failed: ${String(thrown)}`);
      // In the middle of an answer: nothing but its end tells that it is none.
      if (response.headersSent) response.destroy();
      sendJson(response, status, {
        code: status,
        message: thrown instanceof BodyError ? thrown.message : 'failed',
      });
    });
  };
}

async function answer(
  context: HttpContext,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { platform, emulator } = context;
  const { method = 'GET' } = request;
  const url = readUrl(request.url ?? '/');
  if (url === undefined) return sendJson(response, 400, { code: 400, message: 'bad address' });
  if (url.pathname.startsWith('/emulator/')) {
    if (!mayUsePanel(request)) return sendJson(response, 403, { error: 'only from this machine' });
    if (isFirmware(request, url)) return takeFirmware(context, request, response, url);
    const content = await readBody(request, largestPanelBytes(platform));
    const { status, body, text } = await answerPanel(emulator, method, url, content);
    return text === undefined ? sendJson(response, status, body) : sendText(response, status, text);
  }
  if (url.pathname.startsWith(FILES_PATH)) return answerFile(platform, request, response, url);
  if (url.pathname === UPLOAD_PATH) return acceptFirmware(platform, request, response);
  if (method === 'GET' && url.pathname.startsWith('/files/')) {
    const content = findFile(platform, url.pathname.slice('/files/'.length));
    return content === undefined
      ? sendJson(response, 404, { code: 404, message: 'there is no such file' })
      : send(response, 200, 'application/octet-stream', content);
  }
  const body = await readBody(request, url.pathname === '/' ? LARGEST_CALL_BYTES : LARGEST_BODY_BYTES);
  const contentType = request.headers['content-type'] ?? '';
  switch (url.pathname) {
    case '/auth/register/device':
    case '/auth/devicename': {
      if (method !== 'POST') return sendJson(response, 405, { code: 405, message: 'POST only' });
      const fields = readFields(contentType, body) ?? new Map<string, string>();
      const given = {
        productKey: fields.get('productKey') ?? '',
        deviceName: fields.get('deviceName') ?? '',
      };
      const result =
        url.pathname === '/auth/devicename'
          ? authenticateDevice(platform, fields, mqttResource(emulator, request))
          : registerDevice(platform, fields);
      // The body holds a signature and the answer a secret: neither belongs into a log.
      platform.exchanges.add({ kind: 'http', identity: given, topic: url.pathname, code: result.code });
      return sendJson(response, 200, result);
    }
    case '/': {
      const form = contentType.includes('form')
        ? new URLSearchParams(body.toString())
        : new URLSearchParams();
      const keys = context.accessKeys.length > 0 ? context.accessKeys : STANDARD_KEYS;
      const { headers } = request;
      const scheme = 'encrypted' in request.socket ? 'https' : 'http';
      const origin = `${scheme}://${headers.host ?? ''}`;
      const openApi = { origin, method, path: url.pathname, query: url.searchParams, form, body, headers };
      const result = await answerOpenApi(platform, keys, openApi);
      return sendJson(response, result.status, result.body);
    }
    default:
      return sendJson(response, 404, { code: 404, message: 'there is no such page' });
  }
}

// A model configuration is the largest that is described in JSON.
function largestPanelBytes({ limits }: Platform): number {
  return Math.max(LARGEST_CALL_BYTES, limits.modelConfigurationBytes);
}

// A file as it is, of any size, where a package could also be described in JSON: that names its product in the body, and
// `curl --data-binary` calls a file a form unless it is told otherwise.
function isFirmware({ method, headers }: IncomingMessage, { pathname, searchParams }: URL): boolean {
  if (method !== 'POST' || pathname !== '/emulator/firmware') return false;
  return (
    searchParams.has('productKey') || headers['content-type']?.startsWith('application/octet-stream') === true
  );
}

async function takeFirmware(
  { platform, emulator }: HttpContext,
  request: IncomingMessage,
  response: ServerResponse,
  { searchParams }: URL,
): Promise<void> {
  const content = await readUpload(platform, request);
  if (content === undefined) return sendJson(response, 413, { error: 'there is no room for it' });
  try {
    sendJson(response, 201, await addUploadedFirmware(emulator, searchParams, content));
  } catch (thrown) {
    sendJson(response, 400, { error: thrown instanceof Error ? thrown.message : 'bad request' });
  }
}

// The address under which the client reached us is one that works for it.
function mqttResource(
  emulator: Emulator,
  request: IncomingMessage,
): { host: string; port: number } | undefined {
  const port = emulator.ports.mqtts ?? emulator.ports.mqtt;
  if (port === undefined) return undefined;
  const host = (request.headers.host ?? '').replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  return { host: host === '' ? (request.socket.localAddress ?? '127.0.0.1') : host, port };
}

// The id cannot be guessed; whoever knows it was given the address (QueryDeviceFile).
function findFile(platform: Platform, fileId: string): Buffer | undefined {
  for (const device of platform.registry.devices()) {
    const file = device.files.get(fileId);
    if (file !== undefined) return file.content;
  }
  return undefined;
}

function readUrl(text: string): URL | undefined {
  try {
    return new URL(text, 'http://emulator');
  } catch {
    return undefined;
  }
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  send(response, status, 'application/json;charset=utf-8', JSON.stringify(body));
}

function sendText(response: ServerResponse, status: number, text: string): void {
  send(response, status, 'text/plain;charset=utf-8', text);
}

function send(response: ServerResponse, status: number, contentType: string, content: string | Buffer): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(content),
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  });
  response.end(content);
}
