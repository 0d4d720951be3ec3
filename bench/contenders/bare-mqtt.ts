import { connect } from 'mqtt';
import { deviceConnect } from '../../protocol';
import { hmac } from '../../protocol/hmac';
import { serve } from '../contender';
import { PRODUCT_KEY, postTopic, SECRET, values } from '../model';

/** MQTT.js and JSON, nothing else: what any client on it costs at the least. */
void serve(async ({ host, port, deviceName }) => {
  const identity = { productKey: PRODUCT_KEY, deviceName };
  const fields = deviceConnect(hmac, {
    ...identity,
    deviceSecret: SECRET,
    signMethod: 'hmacsha256',
    secure: false,
  });
  const client = connect({ protocol: 'mqtt', host, port, ...fields, reconnectPeriod: 0 });
  await new Promise<void>((resolve) => client.once('connect', () => resolve()));
  Reflect.get(client.stream, 'setNoDelay')?.call(client.stream, true);
  const topic = postTopic(deviceName);
  await client.subscribeAsync(`${topic}_reply`, { qos: 1 });
  const waiting = new Map<string, () => void>();
  client.on('message', (_, payload) => {
    const { id } = JSON.parse(payload.toString()) as { id: string };
    const done = waiting.get(id);
    waiting.delete(id);
    done?.();
  });
  return {
    post: (count, done) => {
      const id = String(count);
      waiting.set(id, done);
      const params = values(count);
      client.publish(
        topic,
        JSON.stringify({ id, version: '1.0', params, method: 'thing.event.property.post' }),
        { qos: 1 },
      );
    },
    stop: async () => {
      await client.endAsync();
    },
  };
});
