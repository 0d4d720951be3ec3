import { type GatewayTarget, serveGateway, subDeviceName } from '../gateway-contender';
import { PRODUCT_KEY, SECRET, values } from '../model';

interface Reply {
  code: number;
  data?: Array<{ deviceName: string }>;
}
interface Identity {
  productKey: string;
  deviceName: string;
  deviceSecret: string;
}
interface OfficialSubDevice {
  postProps(props: object, done: (reply: Reply) => void): void;
}
interface OfficialGateway {
  on(event: string, listener: () => void): void;
  addTopo(devices: Identity[], done: (reply: Reply) => void): void;
  getTopo(done: (reply: Reply) => void): void;
  login(device: Identity, done: (reply: Reply) => void): OfficialSubDevice;
  end(): void;
}
const sdk = require('alibabacloud-iot-device-sdk') as { gateway(options: object): OfficialGateway };
const TOPOLOGY_BLOCK = 30;

/** The vendor's own SDK, as its guide uses it: topology, then one login after the other, again after each connect. */
void serveGateway(async ({ host, port, deviceName, loginsPerSecond }: GatewayTarget) => {
  const subDevices: OfficialSubDevice[] = [];
  let gateway: OfficialGateway | undefined;
  let connected = () => {};
  const identity = (index: number): Identity => ({
    productKey: PRODUCT_KEY,
    deviceName: subDeviceName(deviceName, index),
    deviceSecret: SECRET,
  });

  const connect = async () => {
    const options = { productKey: PRODUCT_KEY, deviceName, deviceSecret: SECRET };
    const made = sdk.gateway({ ...options, brokerUrl: `mqtt://${host}:${port}` });
    gateway = made;
    await new Promise<void>((resolve) => {
      connected = resolve;
      made.on('connect', () => connected());
    });
    return made;
  };
  const addTopology = async (made: OfficialGateway, from: number, to: number) => {
    const { data = [] } = await accepted((done) => made.getTopo(done));
    const there = new Set(data.map(({ deviceName }) => deviceName));
    const missing = Array.from({ length: to - from }, (_, i) => identity(from + i)).filter(
      ({ deviceName }) => !there.has(deviceName),
    );
    for (let first = 0; first < missing.length; first += TOPOLOGY_BLOCK) {
      await accepted((done) => made.addTopo(missing.slice(first, first + TOPOLOGY_BLOCK), done));
    }
  };
  const login = async (made: OfficialGateway, from: number, to: number) => {
    let nextAt = 0;
    for (let index = from; index < to; index++) {
      // It has no pace of its own, so its user must keep the platform's.
      const early = nextAt - performance.now();
      if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
      if (loginsPerSecond > 0) nextAt = Math.max(nextAt, performance.now()) + 1000 / loginsPerSecond;
      await accepted((done) => {
        subDevices[index] = made.login(identity(index), done);
      });
    }
  };

  return {
    online: async (count, begun) => {
      begun();
      const made = gateway ?? (await connect());
      const from = subDevices.length;
      await addTopology(made, from, count);
      await login(made, from, count);
    },
    post: (index, _packed, count, done) => subDevices[index]?.postProps(values(count), done),
    back: async () => {
      await new Promise<void>((resolve) => {
        connected = resolve;
      });
      if (gateway) await login(gateway, 0, subDevices.length);
    },
    stop: async () => gateway?.end(),
  };
});

async function accepted(send: (done: (reply: Reply) => void) => void): Promise<Reply> {
  const reply = await new Promise<Reply>(send);
  if (reply.code !== 200) throw new Error(`refused with ${reply.code}`);
  return reply;
}
