import { type DeviceIdentity, thingKey } from '../protocol';

/** Why a request about devices is refused as a whole. */
export interface Refusal {
  code: number;
  note: string;
  /** The device that stands in the way, when it is a single one. */
  identity?: DeviceIdentity;
}

export function refusalOf(code: number, identity: DeviceIdentity, reason: string): Refusal {
  return { code, note: `${thingKey(identity)}: ${reason}`, identity };
}

export function isRefusal(read: object): read is Refusal {
  return 'code' in read && 'note' in read;
}
