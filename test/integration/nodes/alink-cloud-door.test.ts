import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { after, afterEach, before, describe, it } from 'mocha';
import { certificate, type TestCertificate } from '../../support/certificates';
import { cloud } from '../../support/cloud-node';
import { catchAll, emulatorPlatform, sink, statusOf } from '../../support/flows';
import { type FlowMessage, type FlowNode, type Runtime, startRuntime } from '../../support/runtime';

const KEY = { accessKeyId: 'my-key', accessKeySecret: 'my-secret' };
const PUMP = { productKey: 'a1Pump', deviceName: 'pump-1' };
const OK = '{"Success":true,"RequestId":"R-1","Data":{"Status":"ONLINE"}}';

interface Asked {
  path: string;
  headers: Record<string, string | string[] | undefined>;
  form: Record<string, string>;
}

/** The node against a server that says whatever the test wants, with a key of the platform node. */
describe('alink-cloud at a door of its own', () => {
  let red: Runtime;
  let asked: Asked[];
  let answer: (response: ServerResponse) => void;
  let server: Server;
  let trusted: TestCertificate;

  const listener: RequestListener = (request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk;
    });
    request.on('end', () => {
      const form = Object.fromEntries(new URLSearchParams(body));
      asked.push({ path: request.url ?? '', headers: request.headers, form });
      answer(response);
    });
  };

  before(async () => {
    red = await startRuntime();
    trusted = await certificate();
  });
  after(() => red.stop());
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  async function open(made: Server): Promise<number> {
    asked = [];
    server = made;
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  async function deploy(platform: object, node: FlowNode = cloud('GetDeviceStatus')): Promise<void> {
    await red.deploy([
      {
        id: 'platform',
        type: 'alink-platform',
        kind: 'custom',
        host: '127.0.0.1',
        credentials: KEY,
        ...platform,
      },
      { ...node, device: '' },
      sink('answers'),
      ...catchAll(),
      ...statusOf('cloud'),
    ]);
  }

  async function plain(extra: object = {}, node?: FlowNode): Promise<void> {
    const port = await open(createServer(listener));
    await deploy({ openApiUrl: `http://127.0.0.1:${port}`, ...extra }, node);
  }

  async function call(msg: object = {}): Promise<FlowMessage> {
    const either = Promise.race([red.next('answers'), red.next('errors')]);
    red.send('cloud', { device: PUMP, ...msg });
    return either;
  }

  const json = (status: number, body: string) => (response: ServerResponse) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);

  it('signs what it says, and puts nothing of it into the address', async () => {
    answer = json(200, OK);
    await plain();
    const { payload, alink } = await call();
    assert.deepEqual(payload, { Status: 'ONLINE' });
    assert.deepEqual(alink, { status: 'acknowledged', action: 'GetDeviceStatus', requestId: 'R-1' });
    const [{ path, headers, form }] = asked as [Asked];
    assert.deepEqual([path, form], ['/', { ProductKey: 'a1Pump', DeviceName: 'pump-1' }]);
    assert.match(String(headers.authorization), /^ACS3-HMAC-SHA256 Credential=my-key,/);
    assert.equal(headers['x-acs-action'], 'GetDeviceStatus');
    assert.equal(headers['x-acs-version'], '2018-01-20');
    assert.equal(JSON.stringify(asked).includes('my-secret'), false);
  });

  it('asks for the past with the times that the platform wants, unless the flow names its own', async () => {
    answer = json(200, OK);
    await plain({}, cloud('QueryDeviceEventData', { parameters: 'own', parametersType: 'msg' }));
    await call();
    const { StartTime, EndTime, Asc, PageSize } = asked[0]?.form ?? {};
    assert.deepEqual([Asc, PageSize], ['0', '50']);
    assert.equal(Number(EndTime) - Number(StartTime), 7 * 24 * 3600 * 1000);
    assert.ok(Math.abs(Date.now() - Number(EndTime)) < 10_000);
    await call({ own: { StartTime: 1, Asc: 1 } });
    assert.deepEqual([asked[1]?.form.StartTime, asked[1]?.form.Asc], ['1', '1']);
  });

  it('names the instance with every call', async () => {
    answer = json(200, OK);
    await plain({ kind: 'instance', region: 'cn-shanghai', instanceId: 'iot-06z00abc' });
    await call();
    assert.equal(asked[0]?.form.IotInstanceId, 'iot-06z00abc');
  });

  it('takes the key from the environment', async () => {
    process.env.ALINK_TEST_KEY_ID = 'key-of-the-environment';
    try {
      answer = json(200, OK);
      await plain({ credentials: { ...KEY, accessKeyId: `\${ALINK_TEST_KEY_ID}` } });
      await call();
      assert.match(String(asked[0]?.headers.authorization), /Credential=key-of-the-environment,/);
    } finally {
      delete process.env.ALINK_TEST_KEY_ID;
    }
  });

  it('never repeats a call, and tells code, words and request id of a refusal', async () => {
    answer = json(503, '{"Code":"Throttling.User","Message":"Quota of 20 QPS","RequestId":"R-2"}');
    await plain();
    const { error, alink } = await call();
    assert.equal(asked.length, 1);
    assert.equal(error?.code, 'Throttling.User');
    assert.match(error?.message ?? '', /Too many calls.*\(Quota of 20 QPS\)$/);
    assert.deepEqual([alink?.status, alink?.code, alink?.requestId], ['refused', 'Throttling.User', 'R-2']);
    assert.equal(JSON.stringify([error, alink]).includes('my-secret'), false);
  });

  it('says what came when nobody of the platform answered', async () => {
    answer = json(502, '{}');
    await plain();
    assert.equal((await call()).error?.code, 'HTTP 502');
  });

  for (const [what, body] of [
    ['no JSON', '<html>'],
    ['no object', '[1]'],
    ['of no platform', '{"Success":true}'],
    ['nothing', ''],
    ['null', 'null'],
  ] as const) {
    it(`gives up on an answer that is ${what}`, async () => {
      answer = json(200, body);
      await plain();
      assert.equal((await call()).error?.code, 'cloudUnreachable');
    });
  }

  it('gives up on an answer that breaks off', async () => {
    answer = (response) => response.destroy();
    await plain();
    const { error, alink } = await call();
    assert.equal(error?.code, 'cloudUnreachable');
    assert.equal(alink?.status, 'failed');
    assert.doesNotMatch(error?.message ?? '', /Signature|AccessKeyId/);
    assert.equal(asked.length, 1);
  });

  it('shows a failure on the node until a call goes through', async () => {
    answer = (response) => response.destroy();
    await plain();
    const shown = red.next('statuses', ({ status }) => status?.fill === 'red');
    await call();
    assert.match((await shown).status?.text ?? '', /unreachable/);
    const gone = red.next('statuses', ({ status }) => !status?.text);
    answer = json(200, OK);
    await call();
    await gone;
  });

  it('waits for an answer as long as the platform does and a little longer, then gives up once', async () => {
    answer = () => undefined;
    await plain({}, cloud('RRpc', { timeout: '1' }));
    const startedAt = Date.now();
    const { error } = await call({ payload: 'ping' });
    assert.equal(error?.code, 'cloudUnreachable');
    assert.match(error?.message ?? '', /ReadTimeout/);
    assert.ok(Date.now() - startedAt >= 5900, 'the device has one second, the network five');
    assert.equal(asked.length, 1);
  });

  it('names the address where nobody listens', async () => {
    const free = createTcpServer().listen(0, '127.0.0.1');
    await once(free, 'listening');
    const { port } = free.address() as AddressInfo;
    await new Promise((closed) => free.close(closed));
    await open(createServer(listener));
    await deploy({ openApiUrl: `http://127.0.0.1:${port}` });
    const { error } = await call();
    assert.equal(error?.code, 'cloudUnreachable');
    assert.match(error?.message ?? '', new RegExp(`127\\.0\\.0\\.1:${port}.*ECONNREFUSED`));
  });

  it('has no more than 500 calls under way', async () => {
    const held: ServerResponse[] = [];
    let all = () => {};
    const waiting = new Promise<void>((resolve) => {
      all = resolve;
    });
    answer = (response) => {
      if (held.push(response) === 500) all();
    };
    await plain();
    const refused = red.next('errors');
    for (let i = 0; i < 501; i++) red.send('cloud', { device: PUMP });
    assert.equal((await refused).error?.code, 'waitingFull');
    await waiting;
    assert.equal(asked.length, 500);
    let count = 0;
    const rest = red.next('answers', () => ++count === 500);
    for (const response of held) response.end(OK);
    await rest;
    answer = json(200, OK);
    assert.equal((await call()).error, undefined, 'there is room again');
  });

  describe('TLS', () => {
    const secure = async (made: TestCertificate, extra: object = {}): Promise<void> => {
      answer = json(200, OK);
      const port = await open(createTlsServer(made, listener) as unknown as Server);
      await deploy({ openApiUrl: `https://127.0.0.1:${port}`, ...extra });
    };

    it('refuses a server that nobody vouches for', async () => {
      await secure(trusted);
      const { error } = await call();
      assert.match(error?.message ?? '', /CERT/);
      assert.equal(asked.length, 0, 'nothing was said to it');
    });

    it('trusts the root that the platform node names', async () => {
      await secure(trusted, { ca: trusted.cert });
      assert.equal((await call()).error, undefined);
    });

    it('refuses a trusted certificate of another host', async () => {
      const other = await certificate({ names: ['elsewhere.example.com'] });
      await secure(other, { ca: other.cert });
      assert.match((await call()).error?.message ?? '', /ALTNAME/);
      assert.equal(asked.length, 0);
    });
  });

  it('refuses plain http to another machine', async () => {
    await open(createServer(listener));
    await deploy({ openApiUrl: 'http://iot.example.com' });
    assert.match((await call()).error?.message ?? '', /https/);
  });

  describe('at an embedded emulator', () => {
    const at = async (accessKeys: unknown, credentials: object): Promise<FlowMessage> => {
      await open(createServer(listener));
      // The emulator's API as any cloud: found by its address, entered with a key.
      await red.deploy([
        emulatorPlatform({ emulatorConfig: JSON.stringify({ accessKeys }) }),
        sink('answers'),
        ...catchAll(),
      ]);
      const addresses = await (await fetch(`${red.url}/alink-platform/platform/addresses`)).json();
      const { http } = addresses as { http: string };
      await red.deploy([
        emulatorPlatform({ emulatorConfig: JSON.stringify({ accessKeys }) }),
        {
          id: 'outside',
          type: 'alink-platform',
          kind: 'custom',
          host: '127.0.0.1',
          openApiUrl: http,
          credentials,
        },
        { ...cloud('QueryDevice', { platform: 'outside' }), device: '' },
        sink('answers'),
        ...catchAll(),
      ]);
      return call();
    };
    const key = (id: string, secret: string) => ({ accessKeyId: id, accessKeySecret: secret });
    const configured = [{ id: 'plant', secret: 'plant-secret' }];

    it('takes the key of the products file, and the signature is right', async () => {
      const { error } = await at(configured, key('plant', 'plant-secret'));
      assert.equal(error?.code, 'iot.prod.NotExistedProduct', 'the call went through');
    });

    it('says in words that the secret is wrong', async () => {
      const { error } = await at(configured, key('plant', 'another'));
      assert.equal(error?.code, 'SignatureDoesNotMatch');
      assert.match(error?.message ?? '', /AccessKey Secret/);
    });

    it('says in words that there is no such key', async () => {
      const { error } = await at(configured, key('factory', 'plant-secret'));
      assert.equal(error?.code, 'InvalidAccessKeyId.NotFound');
      assert.match(error?.message ?? '', /AccessKey ID/);
    });

    it('without a products file lets nobody in who guesses', async () => {
      const { error } = await at([], key('emulator', 'emulator'));
      assert.equal(error?.code, 'InvalidAccessKeyId.NotFound');
    });
  });
});
