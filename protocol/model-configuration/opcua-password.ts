/** How the password of an OPC UA server is encrypted (H.3); AES itself comes from whoever has it. */
export interface PasswordCipher {
  /** By the length of the secret: 16, 24 or 32 bytes. */
  name: 'aes-128-cbc' | 'aes-192-cbc' | 'aes-256-cbc';
  key: Uint8Array;
  iv: Uint8Array;
}

/** Why a password can be neither encrypted nor decrypted; holds neither secret nor password. */
export class OpcUaPasswordError extends Error {
  override readonly name = 'OpcUaPasswordError';
  constructor(
    readonly problem: 'secretLength' | 'notBase64' | 'wrongSecret',
    message: string,
  ) {
    super(message);
  }
}

const NAMES: Readonly<Record<number, PasswordCipher['name']>> = {
  16: 'aes-128-cbc',
  24: 'aes-192-cbc',
  32: 'aes-256-cbc',
};

/**
 * Cipher, key and initialisation vector for a gateway's secret: the key is the whole secret, the vector its first 16
 * characters (H.3).
 * @throws OpcUaPasswordError `secretLength` when the secret has not 16, 24 or 32 bytes
 */
export function passwordCipher(deviceSecret: string): PasswordCipher {
  const encoder = new TextEncoder();
  const key = encoder.encode(deviceSecret);
  const iv = encoder.encode(deviceSecret.slice(0, 16));
  const name = NAMES[key.length];
  if (name === undefined || iv.length !== 16) {
    throw new OpcUaPasswordError(
      'secretLength',
      `a secret of ${key.length} bytes is no AES key; 16, 24 or 32 are needed`,
    );
  }
  return { name, key, iv };
}
