import { once } from 'node:events';
import { WebSocket } from 'ws';

const TIME_LIMIT_MS = 15_000;
/** What a failed wait tells at most of what came instead. */
const TOLD = 20;

/** What the runtime tells an open editor. */
export interface Told {
  topic: string;
  data?: { id?: string; revision?: string; msg?: unknown; [field: string]: unknown };
}

type Fits = (told: Told) => boolean;

interface Waiting {
  fits: Fits;
  done: () => void;
  timer: NodeJS.Timeout;
}

/** The line by which the runtime of a Node-RED speaks to an open editor, with all that it said since. */
export class Comms {
  readonly #seen: Told[] = [];
  readonly #waiting = new Set<Waiting>();

  private constructor(private readonly socket: WebSocket) {
    socket.on('message', (data) => {
      for (const told of [JSON.parse(String(data))].flat() as Told[]) this.#take(told);
    });
  }

  /** @param url of the editor, ending with a slash */
  static async open(url: string): Promise<Comms> {
    const comms = new Comms(new WebSocket(`${url.replace(/^http/, 'ws')}comms`));
    await once(comms.socket, 'open');
    comms.socket.send(JSON.stringify({ subscribe: 'debug' }));
    return comms;
  }

  /** Resolves when something that fits was told, before or after this call. */
  told(what: string, fits: Fits): Promise<void> {
    return new Promise((done, failed) => {
      if (this.#seen.some(fits)) return done();
      const give = () => {
        this.#waiting.delete(waiting);
        failed(new Error(`not told: ${what}; but: ${JSON.stringify(this.#seen.slice(-TOLD))}`));
      };
      const waiting: Waiting = { fits, done, timer: setTimeout(give, TIME_LIMIT_MS) };
      this.#waiting.add(waiting);
    });
  }

  async close(): Promise<void> {
    for (const { timer } of this.#waiting) clearTimeout(timer);
    this.socket.close();
    await once(this.socket, 'close');
  }

  #take(told: Told): void {
    this.#seen.push(told);
    for (const waiting of this.#waiting) {
      if (!waiting.fits(told)) continue;
      this.#waiting.delete(waiting);
      clearTimeout(waiting.timer);
      waiting.done();
    }
  }
}
