import { serveAnswers } from '../contender';
import { PRODUCT_KEY, SECRET } from '../model';

interface OfficialDevice {
  on(event: string, listener: () => void): void;
  onService(
    name: string,
    listener: (
      request: { params: { number: number } },
      reply: (answer: object, sync?: string) => void,
    ) => void,
  ): void;
  end(): void;
}
const sdk = require('alibabacloud-iot-device-sdk') as { device(options: object): OfficialDevice };

/** The vendor's own SDK answers in its callback. */
void serveAnswers(async ({ host, port, deviceName }) => {
  const device = sdk.device({
    productKey: PRODUCT_KEY,
    deviceName,
    deviceSecret: SECRET,
    brokerUrl: `mqtt://${host}:${port}`,
  });
  await new Promise<void>((resolve) => device.on('connect', resolve));
  device.onService('double', ({ params }, reply) => {
    reply({ code: 200, data: { result: params.number * 2 } }, 'sync');
  });
  return async () => device.end();
});
