import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { tunnel } from '../../../sdk/https/proxy';
import { postForm } from '../../../sdk/registration/https-door';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

describe('a server that never answers', () => {
  let server: Server;
  let address: { host: string; port: number };
  let collecting: NodeJS.Timeout;
  const sockets = new Set<Socket>();

  beforeEach(async () => {
    server = createServer((socket) => {
      sockets.add(socket.on('error', () => undefined));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    address = { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
    // Node.js 20 forgets a time limit that nothing but a joined signal knows when it collects.
    collecting = setInterval(collect, 20);
  });

  afterEach(() => {
    clearInterval(collecting);
    for (const socket of sockets) socket.destroy();
    sockets.clear();
    server.close();
  });

  const { signal } = new AbortController();

  it('is given up as a proxy', async () => {
    const proxy = { ...address, secure: false, authorization: undefined };
    const options = { handshakeMs: 300, signal };
    await assert.rejects(tunnel(proxy, { host: 'files.test', port: 443 }, options), {
      name: 'HttpsError',
      rule: 'httpsProxyFailed',
    });
  });

  it('is given up as the door of registration', async () => {
    const url = `http://127.0.0.1:${address.port}/auth/register/device`;
    const post = { url, form: {}, signal, limitMs: 300, errorKey: 'registrationFailed' } as const;
    await assert.rejects(postForm(post), {
      key: 'registrationTimeout',
      details: { ...address, seconds: 0.3 },
    });
  });
});
