/** Registers and coils of one Modbus server, by unit; answers as node-red-contrib-modbus would. */
export class MadeUpModbus {
  readonly #memory = new Map<string, number>();
  /** Requests in the order they came. */
  readonly requests: ModbusRequest[] = [];
  /** Units that do not answer. */
  readonly away = new Set<number>();

  /** @param area 0 coils, 1 discrete inputs, 4 holding registers, 3 input registers (the usual first digits) */
  set(unit: number, area: 0 | 1 | 3 | 4, address: number, ...values: number[]): void {
    for (const [i, value] of values.entries()) this.#memory.set(`${unit}/${area}/${address + i}`, value);
  }

  get(unit: number, area: 0 | 1 | 3 | 4, address: number, count = 1): number[] {
    return Array.from({ length: count }, (_, i) => this.#memory.get(`${unit}/${area}/${address + i}`) ?? 0);
  }

  /** @throws Error for what a real server would refuse */
  read(request: ModbusRequest): number[] | boolean[] {
    this.requests.push(request);
    const { fc, unitid, address, quantity } = request;
    if (this.away.has(unitid)) throw new Error('Timed out');
    if (!(quantity >= 1 && quantity <= (fc < 3 ? 2000 : 125)) || address + quantity > 65_536) {
      throw new Error('Modbus exception 3: Illegal data value');
    }
    const area = ([0, 1, 4, 3] as const)[fc - 1];
    if (area === undefined) throw new Error('Modbus exception 1: Illegal function');
    const values = this.get(unitid, area, address, quantity);
    if (fc > 2) return values;
    // Coils come in whole bytes.
    const padded = [...values, ...Array.from({ length: (8 - (quantity % 8)) % 8 }, () => 0)];
    return padded.map((value) => value !== 0);
  }

  /** @throws Error for what a real server would refuse */
  write(request: ModbusRequest): void {
    this.requests.push(request);
    const { fc, unitid, address, quantity, value } = request;
    if (this.away.has(unitid)) throw new Error('Timed out');
    const several = fc === 15 || fc === 16;
    const values = several ? value : [value];
    if (!Array.isArray(values) || values.length !== quantity) throw new Error('Quantity is wrong');
    const area = fc === 5 || fc === 15 ? 0 : 4;
    for (const one of values) {
      const fits = area === 0 ? typeof one === 'boolean' : Number.isInteger(one) && one >= 0 && one <= 65_535;
      if (!fits) throw new Error(`${String(one)} cannot be written with function code ${fc}`);
    }
    this.set(unitid, area, address, ...values.map(Number));
  }
}

export interface ModbusRequest {
  fc: number;
  unitid: number;
  address: number;
  quantity: number;
  value?: unknown;
}
