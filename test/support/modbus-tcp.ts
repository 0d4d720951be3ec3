import { once } from 'node:events';
import { ServerTCP } from 'modbus-serial';
import type { MadeUpModbus } from './modbus-server';
import { freePort } from './node-red';

/** A Modbus TCP server with the memory of a made-up one; it can be switched off and on again at the same port. */
export class ModbusTcp {
  #server: ServerTCP | undefined;
  /** What has been read or written over the network, as `{unit}/{area}/{address}`. */
  readonly touched = new Set<string>();

  private constructor(
    readonly memory: MadeUpModbus,
    readonly port: number,
  ) {}

  static async start(memory: MadeUpModbus): Promise<ModbusTcp> {
    const modbus = new ModbusTcp(memory, await freePort());
    await modbus.start();
    return modbus;
  }

  async start(): Promise<void> {
    const get = (area: 0 | 1 | 3 | 4) => (address: number, unit: number) => {
      this.touched.add(`${unit}/${area}/${address}`);
      return this.memory.get(unit, area, address)[0] ?? 0;
    };
    const bit = (area: 0 | 1) => {
      const read = get(area);
      return (address: number, unit: number) => read(address, unit) === 1;
    };
    const set = (area: 0 | 4) => (address: number, value: number | boolean, unit: number) => {
      this.touched.add(`${unit}/${area}/${address}`);
      this.memory.set(unit, area, address, Number(value));
    };
    this.#server = new ServerTCP(
      {
        getCoil: bit(0),
        getDiscreteInput: bit(1),
        getInputRegister: get(3),
        getHoldingRegister: get(4),
        setCoil: set(0),
        setRegister: set(4),
      },
      { host: '127.0.0.1', port: this.port },
    );
    await once(this.#server, 'initialized');
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server) await new Promise<void>((done) => server.close(() => done()));
  }
}
