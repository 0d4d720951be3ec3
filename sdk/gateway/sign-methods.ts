import type { SignMethod } from '../../protocol';

/** As messages about sub-devices spell them (B.4 row 50). */
export const WIRE_SIGN_METHODS: Readonly<Record<SignMethod, string>> = {
  hmacsha256: 'hmacSha256',
  hmacsha1: 'hmacSha1',
  hmacmd5: 'hmacMd5',
};
