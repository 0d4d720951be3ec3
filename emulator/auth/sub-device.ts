import { parseClientId, type SignMethod, signDevice } from '../../protocol';
import { hmac, sameSign } from '../../protocol/hmac';
import type { Device } from '../registry/device';

/** What a gateway presents for a sub-device: to add it (B.4 row 50), to log it in (B.5 rows 70, 72). */
export interface SubDeviceProof {
  /** As it was sent; parameters between bars (A.3) may be in it, and are part of what is signed (section J row 2). */
  clientId: string | undefined;
  /** As it was written, because it is signed so. */
  timestamp: string | undefined;
  signMethod: SignMethod;
  sign: string;
}

/**
 * Whether it is signed with the device's secret, over exactly what was sent (section J rows 1, 2, 7): the clientId as a
 * whole, or what is in front of its bar. A device whose secret nobody told us is believed.
 */
export function isSigned({ deviceSecret, identity }: Device, proof: SubDeviceProof): boolean {
  if (deviceSecret === undefined) return true;
  const { clientId, timestamp, signMethod, sign } = proof;
  const fits = (signed: string | undefined) => {
    const fields = {
      ...identity,
      ...(signed === undefined ? {} : { clientId: signed }),
      ...(timestamp === undefined ? {} : { timestamp }),
    };
    return sameSign(sign, signDevice(hmac, signMethod, deviceSecret, fields));
  };
  if (fits(clientId)) return true;
  // Most clients leave the parameters out, as a CONNECT does.
  return clientId?.includes('|') === true && fits(parseClientId(clientId).clientId);
}
