// A device in a process of its own, so that a test can kill it. Argument: JSON of port, folder, guardMs, offline, and
// answer: whether configurations are accepted, or whether the process kills itself before or after it has answered.
const { join } = require('node:path');
const { openDevice, fileConfigurationStore } = require(
  join(__dirname, '..', '..', 'dist', 'sdk', 'index.js'),
);

const { port, folder, guardMs, offline, answer } = JSON.parse(process.argv[2] ?? '{}');
const tell = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);
const die = () => process.kill(process.pid, 'SIGKILL');

const device = openDevice({
  identity: { productKey: 'a1Test', deviceName: 'lamp-1' },
  platform: { kind: 'emulator', host: '127.0.0.1', ports: { tcp: port }, httpUrl: '' },
  transport: 'tcp',
  authentication: { kind: 'deviceSecret', deviceSecret: 'secret' },
  configurationStore: fileConfigurationStore(folder),
  timing: { backoff: { first: 10, longest: 20 }, configurationSettleMs: 3000, configurationGraceMs: 200 },
});
device.configuration.onPush(
  async (configuration) => {
    const { source, document, reason } = configuration;
    tell({ source, document, reason });
    if (answer === 'dieBefore') die();
    await configuration.answer({});
    if (answer === 'dieAfter') die();
    tell({ answered: true });
  },
  { ...(guardMs === undefined ? {} : { guardMs }), onConfirmed: (configId) => tell({ confirmed: configId }) },
);
if (!offline) device.connect();
device.onState(({ name }) => {
  if (name === 'online') tell({ online: true });
});
// An offline device has nothing that would keep its process alive.
setInterval(() => undefined, 1000);
