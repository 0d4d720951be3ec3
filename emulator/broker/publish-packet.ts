/**
 * Writes an MQTT 3.1.1 PUBLISH. The broker library would queue and copy each message through its own
 * router; what the platform pushes goes to one connection only.
 * @param messageId for QoS 1
 */
export function encodePublish(
  topic: string,
  payload: string | Uint8Array,
  qos: 0 | 1,
  messageId: number,
  duplicate: boolean,
): Buffer {
  const topicBytes = Buffer.byteLength(topic);
  const payloadBytes = typeof payload === 'string' ? Buffer.byteLength(payload) : payload.length;
  const remaining = 2 + topicBytes + (qos > 0 ? 2 : 0) + payloadBytes;
  const lengthBytes = remaining < 128 ? 1 : remaining < 16_384 ? 2 : remaining < 2_097_152 ? 3 : 4;
  const packet = Buffer.allocUnsafe(1 + lengthBytes + remaining);
  packet[0] = 0x30 | (duplicate ? 8 : 0) | (qos << 1);
  let at = 1;
  let rest = remaining;
  do {
    const byte = rest % 128;
    rest = Math.floor(rest / 128);
    packet[at++] = rest > 0 ? byte | 128 : byte;
  } while (rest > 0);
  at = packet.writeUInt16BE(topicBytes, at);
  at += packet.write(topic, at);
  if (qos > 0) at = packet.writeUInt16BE(messageId, at);
  if (typeof payload === 'string') packet.write(payload, at);
  else packet.set(payload, at);
  return packet;
}
