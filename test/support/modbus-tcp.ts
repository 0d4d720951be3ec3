import { once } from 'node:events';
import ModbusRTU, { ServerTCP } from 'modbus-serial';
import type { MadeUpModbus, ModbusRequest } from './modbus-server';
import { freePort } from './node-red';

/** A Modbus TCP server with the memory of a made-up one, and the one client that node-red-contrib-modbus would have. */
export class ModbusTcp {
  readonly #server: ServerTCP;
  readonly #client = new ModbusRTU();
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(memory: MadeUpModbus, port: number) {
    const bit = (area: 0 | 1) => (address: number, unit: number) => memory.get(unit, area, address)[0] === 1;
    const word = (area: 3 | 4) => (address: number, unit: number) => memory.get(unit, area, address)[0] ?? 0;
    this.#server = new ServerTCP(
      {
        getCoil: bit(0),
        getDiscreteInput: bit(1),
        getInputRegister: word(3),
        getHoldingRegister: word(4),
        setCoil: (address: number, value: boolean, unit: number) =>
          memory.set(unit, 0, address, Number(value)),
        setRegister: (address: number, value: number, unit: number) => memory.set(unit, 4, address, value),
      },
      { host: '127.0.0.1', port },
    );
  }

  static async start(memory: MadeUpModbus): Promise<ModbusTcp> {
    const port = await freePort();
    const modbus = new ModbusTcp(memory, port);
    await once(modbus.#server, 'initialized');
    await modbus.#client.connectTCP('127.0.0.1', { port });
    modbus.#client.setTimeout(5000);
    return modbus;
  }

  /** One after the other, because the unit belongs to the client. */
  request(request: ModbusRequest): Promise<unknown> {
    const answer = this.#turn.then(() => this.#ask(request));
    this.#turn = answer.catch(() => undefined);
    return answer;
  }

  async stop(): Promise<void> {
    await new Promise<void>((done) => this.#client.close(() => done()));
    await new Promise<void>((done) => this.#server.close(() => done()));
  }

  async #ask({ fc, unitid, address, quantity, value }: ModbusRequest): Promise<unknown> {
    const client = this.#client;
    client.setID(unitid);
    switch (fc) {
      case 1:
        return (await client.readCoils(address, quantity)).data;
      case 2:
        return (await client.readDiscreteInputs(address, quantity)).data;
      case 3:
        return (await client.readHoldingRegisters(address, quantity)).data;
      case 4:
        return (await client.readInputRegisters(address, quantity)).data;
      case 5:
        return client.writeCoil(address, value as boolean);
      case 6:
        return client.writeRegister(address, value as number);
      case 15:
        return client.writeCoils(address, value as boolean[]);
      case 16:
        return client.writeRegisters(address, value as number[]);
      default:
        throw new Error(`function code ${fc}`);
    }
  }
}
