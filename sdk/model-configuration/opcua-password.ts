import { createCipheriv, createDecipheriv } from 'node:crypto';
import { OpcUaPasswordError, passwordCipher } from '../../protocol/model-configuration/opcua-password';

const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
const BLOCK_BYTES = 16;

/**
 * Decrypts the password of an OPC UA server in a gateway model configuration (H.3).
 * @param encrypted Base64, as in the document; line breaks are ignored
 * @param deviceSecret of the gateway that received the document
 * @throws OpcUaPasswordError without password or secret in it
 */
export function decryptOpcUaPassword(encrypted: string, deviceSecret: string): string {
  const { name, key, iv } = passwordCipher(deviceSecret);
  const text = encrypted.replace(/\s/g, '');
  const bytes = Buffer.from(text, 'base64');
  if (!BASE64.test(text) || bytes.length === 0 || bytes.length % BLOCK_BYTES !== 0) {
    throw new OpcUaPasswordError('notBase64', 'the password is not Base64 of whole blocks of 16 bytes');
  }
  try {
    const decipher = createDecipheriv(name, key, iv);
    const plain = Buffer.concat([decipher.update(bytes), decipher.final()]);
    // A wrong secret can leave padding that looks right, but hardly ever text.
    return new TextDecoder('utf-8', { fatal: true }).decode(plain);
  } catch {
    throw new OpcUaPasswordError(
      'wrongSecret',
      'the password was not encrypted with the secret of this gateway',
    );
  }
}

/** Encrypts a password as the platform does (H.3). @throws OpcUaPasswordError `secretLength` */
export function encryptOpcUaPassword(password: string, deviceSecret: string): string {
  const { name, key, iv } = passwordCipher(deviceSecret);
  const cipher = createCipheriv(name, key, iv);
  return Buffer.concat([cipher.update(password, 'utf8'), cipher.final()]).toString('base64');
}
