import { createHmac, randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import type { Contender } from './contender';
import { ACCESS_KEY, PRODUCT_KEY } from './model';

/**
 * Calls the service `double` of a device. Written for the bench alone, as cheap as a caller can be, because the
 * official cloud SDK would be what is measured.
 */
export function openApiCaller(address: string, deviceName: string): Contender {
  const { hostname, port } = new URL(address);
  const agent = new Agent({ keepAlive: true, maxSockets: 256, noDelay: true });
  return {
    post: function post(count, done) {
      const body = signed({
        Action: 'InvokeThingService',
        ProductKey: PRODUCT_KEY,
        DeviceName: deviceName,
        Identifier: 'double',
        Args: JSON.stringify({ number: count }),
      });
      const headers = {
        'content-type': 'application/x-www-form-urlencoded',
        'content-length': Buffer.byteLength(body),
      };
      const call = request({ hostname, port, method: 'POST', path: '/', agent, headers }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          const { Success: ok, Data: data } = JSON.parse(text) as {
            Success?: boolean;
            Data?: { Result?: string };
          };
          const { result } = JSON.parse(data?.Result ?? '{}') as { result?: number };
          if (ok !== true || result !== count * 2) throw new Error(`${deviceName} answered ${text}`);
          done();
        });
      });
      // The platform's side closes connections that were idle for 5 s, maybe just now; contenders take turns.
      call.on('error', (error) => {
        if (call.reusedSocket) post(count, done);
        else throw error;
      });
      call.end(body);
    },
    stop: async () => agent.destroy(),
  };
}

/** Signature version 1.0 of the RPC style. */
function signed(action: Readonly<Record<string, string>>): string {
  const parameters = Object.entries({
    ...action,
    Version: '2018-01-20',
    AccessKeyId: ACCESS_KEY.id,
    SignatureMethod: 'HMAC-SHA1',
    SignatureVersion: '1.0',
    SignatureNonce: randomUUID(),
    Timestamp: new Date().toISOString(),
    Format: 'JSON',
  })
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .join('&');
  const signature = createHmac('sha1', `${ACCESS_KEY.secret}&`)
    .update(`POST&%2F&${encode(parameters)}`)
    .digest('base64');
  return `${parameters}&Signature=${encode(signature)}`;
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
