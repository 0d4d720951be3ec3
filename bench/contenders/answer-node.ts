import { device, sink } from '../../test/support/flows';
import { startRuntime } from '../../test/support/runtime';
import { serveAnswers } from '../contender';
import { PRODUCT_KEY, SECRET, THING_MODEL } from '../model';

const DOUBLE = 'msg.payload = { result: msg.payload.number * 2 }; return msg;';

/** Our nodes in a real Node-RED, strict thing-model check of input and output. */
void serveAnswers(async ({ host, port, deviceName }) => {
  const red = await startRuntime();
  await red.deploy([
    { id: 'platform', type: 'alink-platform', kind: 'custom', host, mqttPort: String(port) },
    {
      ...device({ productKey: PRODUCT_KEY, deviceName, thingModel: JSON.stringify(THING_MODEL) }),
      credentials: { deviceSecret: SECRET },
    },
    {
      id: 'service',
      z: 'tab',
      type: 'alink-service-in',
      device: 'device',
      identifier: 'double',
      reply: 'flow',
      timeLimit: '5',
      wires: [['double']],
    },
    { id: 'double', z: 'tab', type: 'function', func: DOUBLE, outputs: 1, libs: [], wires: [['reply']] },
    {
      id: 'reply',
      z: 'tab',
      type: 'alink-service-reply',
      code: '',
      codeType: 'num',
      value: 'payload',
      valueType: 'msg',
      wires: [],
    },
    { id: 'status', z: 'tab', type: 'status', scope: ['service'], wires: [['states']] },
    sink('states'),
  ]);
  await red.next('states', ({ status }) => status?.fill === 'green');
  return () => red.stop();
});
