import { type AlinkReply, isJsonObject, type Json, type Operation } from '../../protocol';
import type { Device, RequestOptions } from '../../sdk';
import { UPLOAD } from './options';
import { fileContent } from './parameters';
import type { ShadowVersion } from './shadow-version';

/** One request as the node has read it from form and message. */
export interface RequestToSend {
  operation: Operation;
  params: Json;
  /** Of a file. */
  content: unknown;
  options: Pick<RequestOptions, 'timeoutMs' | 'signal'>;
  version: ShadowVersion;
  onProgress: (sentBytes: number, totalBytes: number) => void;
}

/** The platform's answer, and what the flow gets of it. */
export interface Answered {
  reply: AlinkReply;
  payload: unknown;
}

type Procedure = (device: Device, request: RequestToSend) => Promise<Answered>;

/** Operations that are more than a question and its answer. */
const PROCEDURES: Readonly<Record<string, Procedure>> = {
  'shadow.update': changeShadow,
  'ext.ntp.request': askTime,
  [UPLOAD]: upload,
};

/** Sends the request. @throws AlinkError */
export async function carryOut(device: Device, request: RequestToSend): Promise<Answered> {
  return (PROCEDURES[request.operation.name] ?? ask)(device, request);
}

async function ask(device: Device, { operation, params, options }: RequestToSend): Promise<Answered> {
  const reply = await device.request(operation.name, params, options);
  return { reply, payload: reply.data ?? {} };
}

/** A change without a version gets the next one (B.2). */
async function changeShadow(device: Device, request: RequestToSend): Promise<Answered> {
  const { operation, params, options, version } = request;
  const { method, version: given } = isJsonObject(params) ? params : {};
  if (method === 'get') return ask(device, request);
  if (given !== undefined) {
    version.forget();
    return ask(device, request);
  }
  return version.change(
    (next) => ask(device, { ...request, params: { ...(params as object), version: next } }),
    async () => (await device.request(operation.name, { method: 'get' }, options)).data,
  );
}

/** `serverTime`: the platform's clock when its answer arrived, ms since 1970 (B.3 row 39). */
async function askTime(device: Device, request: RequestToSend): Promise<Answered> {
  const { reply } = await ask(device, request);
  const data = isJsonObject(reply.data) ? reply.data : {};
  const { offset, roundTrip, deviceRecvTime } = data;
  const serverTime = Number(deviceRecvTime) + Number(offset);
  return { reply, payload: { offset, serverTime, roundTrip } };
}

async function upload(device: Device, request: RequestToSend): Promise<Answered> {
  const { fileName, conflictStrategy, extraParams } = isJsonObject(request.params) ? request.params : {};
  const { reply, ...payload } = await device.uploadFile(
    {
      name: String(fileName),
      content: fileContent(request.content),
      ...(isStrategy(conflictStrategy) ? { conflictStrategy } : {}),
      ...(isJsonObject(extraParams) ? { extraParams } : {}),
    },
    { ...request.options, onProgress: request.onProgress },
  );
  return { reply, payload };
}

function isStrategy(value: Json | undefined): value is 'overwrite' | 'append' | 'reject' {
  return value === 'overwrite' || value === 'append' || value === 'reject';
}
