import { createCipheriv } from 'node:crypto';
import { formatTopic, isJsonObject, type Json, type JsonObject, operation } from '../../protocol';
import { passwordCipher } from '../../protocol/model-configuration/opcua-password';
import type { Delivery } from '../broker/delivery';
import { bytesContent, digestNow } from '../files/content';
import { spoilt } from '../ota/offer';
import type { Platform } from '../platform';
import type { Device } from '../registry/device';

/**
 * Serves a model configuration and tells the gateway of it (section H). Passwords of OPC UA servers are encrypted with the
 * gateway's secret (H.3).
 * @throws RangeError when it is too large, or the secret is no key
 */
export function pushModelConfiguration(platform: Platform, gateway: Device, document: Json): Delivery {
  const bytes = Buffer.from(JSON.stringify(sealed(document, gateway.deviceSecret)));
  const most = platform.limits.modelConfigurationBytes;
  if (bytes.length > most)
    throw new RangeError(`the configuration has ${bytes.length} bytes, at most ${most}`);
  const name = 'thing.model.config.push';
  const { topic } = operation(name);
  const digest = digestNow(bytes, 'SHA256');
  const file = platform.files.add({
    name: `${digest.slice(0, 16)}.json`,
    content: bytesContent(bytes),
    digest,
    purpose: name,
  });
  if (gateway.modelConfiguration !== undefined) platform.files.remove(gateway.modelConfiguration.fileId);
  gateway.modelConfiguration = file;
  const wrong = platform.faults.strikeFile('wrongDigest', gateway.identity, '', name) !== undefined;
  const data: JsonObject = {
    digest: wrong ? spoilt(digest) : digest,
    digestMethod: 'sha256',
    url: platform.files.address(gateway, file),
  };
  const message = { id: Number(platform.messageIds.next()), version: '1.0', method: name, data };
  return platform.push(
    gateway,
    formatTopic(topic, { ...gateway.identity }),
    JSON.stringify(message),
    1,
    name,
  );
}

/** The document with the passwords of its OPC UA servers encrypted. */
function sealed(document: Json, deviceSecret: string | undefined): Json {
  const servers = isJsonObject(document) ? document.serverList : undefined;
  if (!isJsonObject(document) || !Array.isArray(servers)) return document;
  const serverList = servers.map((server) => {
    // Only those of OPC UA have no protocol (H.1).
    if (!isJsonObject(server) || server.protocol !== undefined) return server;
    const { password } = server;
    if (typeof password !== 'string' || password === '') return server;
    return { ...server, password: encrypted(password, deviceSecret ?? '') };
  });
  return { ...document, serverList };
}

function encrypted(password: string, deviceSecret: string): string {
  const { name, key, iv } = passwordCipher(deviceSecret);
  const cipher = createCipheriv(name, key, iv);
  return Buffer.concat([cipher.update(password, 'utf8'), cipher.final()]).toString('base64');
}
