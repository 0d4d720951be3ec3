import { serve } from '../contender';
import { PRODUCT_KEY, SECRET, values } from '../model';

interface OfficialDevice {
  on(event: string, listener: () => void): void;
  postProps(props: object, done: (reply: { code: number }) => void): void;
  end(): void;
}
const sdk = require('alibabacloud-iot-device-sdk') as { device(options: object): OfficialDevice };

/** The vendor's own SDK; it publishes everything at QoS 0. */
void serve(async ({ host, port, deviceName }) => {
  const device = sdk.device({
    productKey: PRODUCT_KEY,
    deviceName,
    deviceSecret: SECRET,
    brokerUrl: `mqtt://${host}:${port}`,
  });
  await new Promise<void>((resolve) => device.on('connect', resolve));
  return {
    post: (count, done) => device.postProps(values(count), done),
    stop: async () => device.end(),
  };
});
