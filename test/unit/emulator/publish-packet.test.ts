import assert from 'node:assert/strict';
import fc from 'fast-check';
import mqttPacket, { type Packet } from 'mqtt-packet';
import { encodePublish } from '../../../emulator/broker/publish-packet';

describe('PUBLISH as the emulator writes it', () => {
  it('is read back by an independent parser', () => {
    const topic = fc
      .string({ minLength: 1, maxLength: 60, unit: 'grapheme' })
      .filter((text) => !/[+#\0]/.test(text));
    const payload = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.uint8Array({ maxLength: 300 }),
      // Around the sizes where the length field grows.
      fc
        .constantFrom(100, 127, 128, 16_370, 16_384, 2_097_140, 2_097_152)
        .map((size) => Buffer.alloc(size, 1)),
    );
    fc.assert(
      fc.property(
        topic,
        payload,
        fc.constantFrom(0 as const, 1 as const),
        fc.integer({ min: 1, max: 65_535 }),
        fc.boolean(),
        (name, content, qos, messageId, duplicate) => {
          const read: Packet[] = [];
          const parser = mqttPacket.parser({ protocolVersion: 4 });
          parser.on('packet', (packet) => read.push(packet));
          const rest = parser.parse(encodePublish(name, content, qos, messageId, duplicate));
          assert.equal(rest, 0);
          const [packet] = read;
          assert.ok(packet?.cmd === 'publish');
          assert.deepEqual(
            [packet.topic, packet.qos, packet.dup, packet.retain],
            [name, qos, duplicate, false],
          );
          assert.equal(packet.messageId, qos === 1 ? messageId : undefined);
          assert.deepEqual(Buffer.from(packet.payload), Buffer.from(content as string));
        },
      ),
      { numRuns: 300 },
    );
  });
});
