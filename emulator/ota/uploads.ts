import { createHmac, randomBytes } from 'node:crypto';
import { sameSign } from '../../protocol/hmac';
import { bytesContent, type Content } from '../files/content';
import type { Ground } from '../ground';

const ACCESS_KEY_ID = 'emulator';
const GRANT_MS = 60_000;
const KEPT_MS = 3_600_000;
const MOST_UPLOADS = 100;
const SUFFIX = /^(tar\.gz|tar\.xz|[a-z0-9]{1,8})$/i;

interface Upload {
  content: Content;
  expiresAt: number;
}

/** What the platform's object storage wants to see in the form of an upload. */
export interface UploadGrant {
  Key: string;
  OSSAccessKeyId: string;
  Policy: string;
  Signature: string;
}

/** Firmware files that were uploaded and are not yet part of a package. */
export class FirmwareUploads {
  private readonly uploads = new Map<string, Upload>();
  private readonly key = randomBytes(32);

  constructor(private readonly platform: Ground) {}

  /** @returns undefined for a suffix that no file has */
  grant(suffix: string): UploadGrant | undefined {
    if (!SUFFIX.test(suffix)) return undefined;
    const key = `ota/${randomBytes(12).toString('hex')}.${suffix}`;
    const until = this.platform.clock() + GRANT_MS;
    const policy = Buffer.from(
      JSON.stringify({
        expiration: new Date(until).toISOString(),
        conditions: [['eq', '$key', key]],
      }),
    ).toString('base64');
    return { Key: key, OSSAccessKeyId: ACCESS_KEY_ID, Policy: policy, Signature: this.sign(policy) };
  }

  /** Takes the fields and the file of a form. @returns why it is refused */
  accept(fields: ReadonlyMap<string, string>, file: Buffer): string | undefined {
    this.expire();
    const policy = fields.get('policy') ?? '';
    if (!sameSign(fields.get('signature') ?? '', this.sign(policy))) return 'SignatureDoesNotMatch';
    const key = fields.get('key') ?? '';
    const { expiration, conditions } = JSON.parse(Buffer.from(policy, 'base64').toString());
    if (conditions[0][2] !== key || Date.parse(expiration) <= this.platform.clock()) return 'AccessDenied';
    if (this.uploads.size >= MOST_UPLOADS || !this.platform.firmwareBudget.claim(file.length)) {
      return 'QuotaExceeded';
    }
    this.remove(key);
    this.uploads.set(key, {
      content: bytesContent(file),
      expiresAt: this.platform.clock() + KEPT_MS,
    });
    return undefined;
  }

  /** What was uploaded under this key; whoever takes it makes a package of it, or gives it back. */
  take(key: string): Content | undefined {
    this.expire();
    const content = this.uploads.get(key)?.content;
    this.remove(key);
    return content;
  }

  /** No package came of it. It is forgotten when its room was taken meanwhile. */
  giveBack(key: string, content: Content): void {
    if (this.uploads.size >= MOST_UPLOADS || !this.platform.firmwareBudget.claim(content.size)) return;
    this.uploads.set(key, { content, expiresAt: this.platform.clock() + KEPT_MS });
  }

  private remove(key: string): void {
    const upload = this.uploads.get(key);
    if (upload === undefined) return;
    this.uploads.delete(key);
    this.platform.firmwareBudget.release(upload.content.size);
  }

  private expire(): void {
    const now = this.platform.clock();
    for (const [key, { expiresAt }] of [...this.uploads]) if (expiresAt <= now) this.remove(key);
  }

  private sign(policy: string): string {
    return createHmac('sha1', this.key).update(policy).digest('base64');
  }
}
