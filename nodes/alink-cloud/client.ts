import { rootCertificates } from 'node:tls';
import type OpenApiCore from '@alicloud/openapi-core';
import { AlinkError } from '../../sdk';
import type { OpenApiAccess } from '../shared/types';
import type { AnswerBody } from './answer';

const VERSION = '2018-01-20';
/** Longer than the longest that the platform waits for a device. */
const READ_MARGIN_MS = 5000;
const CONNECT_MS = 10_000;
/** Calls under way from one node; more wait for nothing but memory. */
const MOST_CALLS = 500;

/** Calls actions of the platform's API with one access key. */
export class OpenApiClient {
  #client: Promise<{
    call: (action: string, query: Record<string, string>, readMs: number) => Promise<AnswerBody>;
  }>;
  #open = 0;

  constructor(private readonly access: OpenApiAccess) {
    this.#client = connect(access);
    this.#client.catch(() => undefined); // told by the first call
  }

  /**
   * @param waitMs how long the platform itself waits for a device
   * @throws AlinkError `cloudUnreachable`, `cloudRefused` with the platform's code, `waitingFull`
   */
  async call(action: string, parameters: Record<string, string>, waitMs: number): Promise<AnswerBody> {
    if (this.#open >= MOST_CALLS) {
      const message = `${MOST_CALLS} calls are under way`;
      throw new AlinkError('waitingFull', message, { retry: 'slow', details: { limit: MOST_CALLS } });
    }
    this.#open++;
    try {
      const { iotInstanceId } = this.access;
      const query =
        iotInstanceId === undefined ? parameters : { IotInstanceId: iotInstanceId, ...parameters };
      const body = await (await this.#client).call(action, query, waitMs + READ_MARGIN_MS);
      // Something between us and the platform may answer too, and it may well say 200.
      if (typeof body.RequestId !== 'string') throw new Error('no answer of the platform');
      return body;
    } catch (thrown) {
      throw this.#asError(thrown);
    } finally {
      this.#open--;
    }
  }

  #asError(thrown: unknown): AlinkError {
    if (thrown instanceof AlinkError) return thrown;
    const object: object = typeof thrown === 'object' && thrown !== null ? thrown : {};
    const status: unknown = Reflect.get(object, 'statusCode');
    if (typeof status === 'number') return refusalFrom(status, Reflect.get(object, 'data'));
    const code: unknown = Reflect.get(object, 'code');
    const message = String(Reflect.get(object, 'message') ?? thrown);
    const { endpoint } = this.access;
    // The library's words for a failed connection hold the whole address with its signature.
    const reason =
      typeof code === 'string' ? code : message.replace(/https?:\/\/\S+/g, endpoint).slice(0, 200);
    return new AlinkError('cloudUnreachable', `${endpoint}: ${reason}`, {
      retry: 'slow',
      details: { host: endpoint, reason },
    });
  }
}

/** An answer with a status that is none of success; the body says why, if a platform wrote it. */
function refusalFrom(status: number, body: unknown): AlinkError {
  const read = (name: string): unknown =>
    typeof body === 'object' && body !== null ? Reflect.get(body, name) : undefined;
  const [code, message] = [read('Code'), read('Message')];
  return refused({
    code: typeof code === 'string' && code !== '' ? code.slice(0, 100) : `HTTP ${status}`,
    message: typeof message === 'string' ? message : '',
    requestId: read('RequestId'),
  });
}

/** An answer of the platform that is no success. */
export function refused(answer: { code: string; message: string; requestId: unknown }): AlinkError {
  const { code, message, requestId } = answer;
  return new AlinkError('cloudRefused', `the platform answered ${code}`, {
    details: {
      cloudCode: code,
      ...(typeof requestId === 'string' ? { requestId: requestId.slice(0, 64) } : {}),
    },
    ...(message === '' ? {} : { platformMessage: message.slice(0, 500) }),
    retry: /throttl|SystemException|ServiceUnavailable|TIMEOUT|OFFLINE|HALFCONN/i.test(code) ? 'slow' : 'no',
  });
}

/** The library's class adds nothing to its fields, and comes from a package that is not ours to depend on. */
type CallRuntime = Parameters<OpenApiCore['callApi']>[2];

// Loaded with the first call: a flow that only reports never loads it.
async function connect({ endpoint, protocol, accessKeyId, accessKeySecret, ca }: OpenApiAccess) {
  const {
    default: { default: Client },
    $OpenApiUtil,
  } = await import('@alicloud/openapi-core');
  const client = new Client(
    new $OpenApiUtil.Config({
      accessKeyId,
      accessKeySecret,
      endpoint,
      protocol,
      // Otherwise the library adds what it finds in the environment.
      userAgent: 'node-red-contrib-alink',
      // Roots given to a connection replace the usual ones.
      ...(ca === undefined ? {} : { ca: [...rootCertificates, ca].join('\n') }),
    }),
  );
  return {
    call: async (action: string, query: Record<string, string>, readTimeout: number): Promise<AnswerBody> => {
      const params = new $OpenApiUtil.Params({
        action,
        version: VERSION,
        protocol,
        pathname: '/',
        method: 'POST',
        authType: 'AK',
        style: 'RPC',
        reqBodyType: 'formData',
        bodyType: 'json',
      });
      // No retries: an action that was carried out must not be carried out again unasked.
      const runtime = { readTimeout, connectTimeout: CONNECT_MS, autoretry: false } as CallRuntime;
      const { body } = await client.callApi(
        params,
        new $OpenApiUtil.OpenApiRequest({ body: query }),
        runtime,
      );
      return (body ?? {}) as AnswerBody;
    },
  };
}
