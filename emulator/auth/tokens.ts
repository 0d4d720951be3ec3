import { randomBytes } from 'node:crypto';
import { sameSign } from '../../protocol/hmac';
import type { Device } from '../registry/device';

interface IssuedToken {
  device: Device;
  iotToken: string;
  expiresAt: number;
}

/** Tokens of HTTPS authentication; the latest of a device is the valid one (A.8). */
export class TokenStore {
  private readonly byIotId = new Map<string, IssuedToken>();

  constructor(
    private readonly clock: () => number,
    private readonly lifetimeMs: number,
  ) {}

  issue(device: Device): { iotId: string; iotToken: string } {
    const iotToken = randomBytes(16).toString('hex');
    this.byIotId.set(device.iotId, { device, iotToken, expiresAt: this.clock() + this.lifetimeMs });
    return { iotId: device.iotId, iotToken };
  }

  find(iotId: string, iotToken: string): Device | undefined {
    const issued = this.byIotId.get(iotId);
    if (issued === undefined || !sameSign(iotToken, issued.iotToken)) return undefined;
    if (this.clock() >= issued.expiresAt) {
      this.byIotId.delete(iotId);
      return undefined;
    }
    // A deleted device's token must not outlive it.
    return issued.device.product.devices.get(issued.device.identity.deviceName) === issued.device
      ? issued.device
      : undefined;
  }

  /** All tokens become invalid at once, for tests of renewal. */
  expireAll(): void {
    this.byIotId.clear();
  }
}
