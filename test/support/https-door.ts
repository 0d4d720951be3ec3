import { once } from 'node:events';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The platform's HTTPS door: keeps what was asked, answers what the test says. */
export class HttpsDoor {
  readonly asked: Array<{ path: string; form: Record<string, string> }> = [];
  answer: (path: string) => string | undefined = () => undefined;

  constructor(readonly server: Server) {
    server.on('request', (request: IncomingMessage, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => {
        body += chunk.toString();
      });
      request.on('end', () => {
        const path = request.url ?? '';
        this.asked.push({ path, form: Object.fromEntries(new URLSearchParams(body)) });
        const text = this.answer(path);
        if (text !== undefined) response.end(text);
      });
    });
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  static async open(server: Server): Promise<HttpsDoor> {
    const door = new HttpsDoor(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return door;
  }

  stop(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}
