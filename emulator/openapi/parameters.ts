import { EnvelopeError, type Json, parseJson } from '../../protocol';
import type { Platform } from '../platform';
import type { Device } from '../registry/device';
import type { Product } from '../registry/product';

/** An action that cannot be carried out; `code` is the platform's name for the reason. */
export class ActionError extends Error {
  override readonly name = 'ActionError';
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** Parameters of an action with the checks that every action makes. */
export class ActionParameters {
  constructor(
    readonly platform: Platform,
    private readonly parameters: ReadonlyMap<string, string>,
    /** Address of the HTTP door for whoever asks. */
    readonly origin = '',
  ) {}

  text(name: string): string {
    const value = this.optional(name);
    if (value === undefined) throw new ActionError(`Missing${name}`, `${name} is mandatory for this action.`);
    return value;
  }

  optional(name: string): string | undefined {
    const value = this.parameters.get(name);
    return value === '' ? undefined : value;
  }

  /** Values of a repeated parameter: `Name.1`, `Name.2`, … @param most of them that are read */
  list(name: string, most = 100): string[] {
    const values: string[] = [];
    for (let i = 1; i <= most; i++) {
      const value = this.parameters.get(`${name}.${i}`);
      if (value === undefined) break;
      values.push(value);
    }
    return values;
  }

  number(
    name: string,
    standard: number,
    { min = 0, max = Number.MAX_SAFE_INTEGER, code = 'iot.common.InvalidFormattedParameter' } = {},
  ): number {
    const value = this.optional(name);
    if (value === undefined) return standard;
    const number = Number(value);
    if (Number.isInteger(number) && number >= min && number <= max) return number;
    throw new ActionError(code, `${name} must be a whole number of ${min} to ${max}.`);
  }

  /** A parameter that holds bytes. @param most largest number of them; by default that of an MQTT payload */
  base64(name: string, most = this.platform.limits.payloadBytes): Buffer {
    const text = this.text(name);
    if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) {
      throw new ActionError('iot.messagebroker.MessageContentIsNotBase64Encode', `${name} is not Base64.`);
    }
    const bytes = Buffer.from(text, 'base64');
    if (bytes.length <= most) return bytes;
    const message = `${name} holds ${bytes.length} bytes, at most ${most} are allowed.`;
    throw new ActionError('iot.common.InvalidFormattedParameter', message);
  }

  /** A parameter that holds JSON text. @param code the platform's name for text that is none */
  json(name: string, code = 'iot.common.InvalidFormattedParameter'): Json {
    try {
      return parseJson(this.text(name));
    } catch (thrown) {
      if (!(thrown instanceof EnvelopeError)) throw thrown;
      throw new ActionError(code, `${name} cannot be read: ${thrown.message}.`);
    }
  }

  /**
   * The page that `CurrentPage` and `PageSize` ask for, with the fields of the answer that tell about it.
   * @param current what the number of the page is called
   * @param most largest page
   */
  page<T>(
    all: readonly T[],
    { current: name = 'CurrentPage', most = 200 } = {},
  ): {
    rows: T[];
    CurrentPage: number;
    PageSize: number;
    PageCount: number;
    Total: number;
  } {
    const current = this.number(name, 1, { min: 1 });
    const size = this.number('PageSize', 10, { min: 1, max: most });
    const rows = all.slice((current - 1) * size, current * size);
    return {
      rows,
      CurrentPage: current,
      PageSize: size,
      PageCount: Math.ceil(all.length / size),
      Total: all.length,
    };
  }

  product(prefix: '' | 'Gw' = ''): Product {
    const productKey = this.text(`${prefix}ProductKey`);
    const product = this.platform.registry.products.get(productKey);
    if (product === undefined)
      throw new ActionError('iot.prod.NotExistedProduct', 'The product does not exist.');
    return product;
  }

  /**
   * By `IotId`, or by `ProductKey` and `DeviceName`.
   * @param prefix of these names: some actions name a gateway besides
   */
  device(prefix: '' | 'Gw' = ''): Device {
    const iotId = this.optional(`${prefix}IotId`);
    const device =
      iotId === undefined
        ? this.product(prefix).devices.get(this.text(`${prefix}DeviceName`))
        : this.platform.registry.findByIotId(iotId);
    if (device === undefined)
      throw new ActionError('iot.device.NotExistedDevice', 'The device does not exist.');
    return device;
  }
}
