// A gateway without Node-RED: a sub-device with a handle of its own, 200 that are only names, and what the platform says.
// Run it with `node docs/sdk-gateway-example.mjs` after `npm run build`. It starts the emulator, so it needs no account.
import { openDevice, openSubDevice } from 'node-red-contrib-alink';
import { startEmulator } from 'node-red-contrib-alink/emulator';

const productKey = 'a1Meter';
const emulator = await startEmulator();
const secretOf = (identity) => emulator.provisionDevice(identity).deviceSecret;

const identity = { productKey: 'a1Gateway', deviceName: 'gateway-1' };
const gatewayOptions = {
  identity,
  // On the cloud: { kind: 'instance', region: 'cn-shanghai', instanceId: 'iot-…' }, and transport 'tls'.
  platform: { kind: 'custom', host: '127.0.0.1', ports: { tcp: emulator.ports.mqtt } },
  transport: 'tcp',
  authentication: { kind: 'deviceSecret', deviceSecret: secretOf(identity) },
  // Makes it a gateway; {} takes the standard pace of logins.
  gateway: {},
};
const device = openDevice(gatewayOptions);
const { gateway } = device;
gateway.onNotice(({ type, devices, error }) =>
  console.log('notice:', type, devices.length, error?.code ?? ''),
);
device.connect();

// A sub-device with a handle is used like any device.
const first = { productKey, deviceName: 'meter-1' };
const meter = openSubDevice({
  identity: first,
  gateway: gatewayOptions,
  authentication: { kind: 'deviceSecret', deviceSecret: secretOf(first) },
});
meter.onState(({ name, reason }) => console.log('meter-1:', name, reason?.code ?? ''));
meter.connect();
const { reply } = await meter.postProperties({ power: 21.5 });
console.log('meter-1 reports:', reply.code);

// Others are only names: logged in with one call, logged in again by themselves after each reconnect.
const others = Array.from({ length: 200 }, (_, i) => ({ productKey, deviceName: `meter-${i + 2}` }));
const credentials = others.map((one) => ({ identity: one, deviceSecret: secretOf(one) }));
// One with a wrong secret holds up no other.
credentials[7].deviceSecret = 'wrong';
const results = await gateway.login(credentials);
for (const { identity: one, error } of results)
  if (error) console.log('refused:', one.deviceName, error.code);

// 199 reports, ten messages; each has an outcome of its own.
const online = results.filter(({ error }) => !error);
const reports = online.map((one) => gateway.postProperties(one.identity, { power: 1 }));
console.log('acknowledged:', (await Promise.all(reports)).length);

await gateway.logout(online.map((one) => one.identity));
await meter.release();
await device.release();
await emulator.close();
