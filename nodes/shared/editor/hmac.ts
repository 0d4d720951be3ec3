import hmacMd5 from 'crypto-js/hmac-md5';
import hmacSha1 from 'crypto-js/hmac-sha1';
import hmacSha256 from 'crypto-js/hmac-sha256';
import type { Hmac } from '../../../protocol/signing';

const ALGORITHMS = { hmacsha256: hmacSha256, hmacsha1: hmacSha1, hmacmd5: hmacMd5 };

/**
 * HMAC in the browser. The editor of a Pi is often served over plain http, where `crypto.subtle` is absent,
 * and HMAC-MD5 is in no browser.
 */
export const browserHmac: Hmac = (method, secret, content) => ALGORITHMS[method](content, secret).toString();
