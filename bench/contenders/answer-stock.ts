import { deviceConnect } from '../../protocol';
import { hmac } from '../../protocol/hmac';
import { sink } from '../../test/support/flows';
import { startRuntime } from '../../test/support/runtime';
import { serveAnswers } from '../contender';
import { PRODUCT_KEY, SECRET } from '../model';

const ANSWER = `
const { id, params } = JSON.parse(msg.payload);
return {
  topic: msg.topic.replace('/rrpc/request/', '/rrpc/response/'),
  payload: JSON.stringify({ id, code: 200, data: { result: params.number * 2 } }),
};`;

/** What people wire today: mqtt in → function → mqtt out, without any check. */
void serveAnswers(async ({ host, port, deviceName }) => {
  const identity = { productKey: PRODUCT_KEY, deviceName };
  const fields = deviceConnect(hmac, {
    ...identity,
    deviceSecret: SECRET,
    signMethod: 'hmacsha256',
    secure: false,
  });
  const red = await startRuntime();
  await red.deploy([
    {
      id: 'broker',
      type: 'mqtt-broker',
      broker: host,
      port: String(port),
      clientid: fields.clientId,
      autoConnect: true,
      usetls: false,
      protocolVersion: '4',
      keepalive: '60',
      cleansession: true,
      credentials: { user: fields.username, password: fields.password },
    },
    {
      id: 'in',
      z: 'tab',
      type: 'mqtt in',
      broker: 'broker',
      topic: `/sys/${PRODUCT_KEY}/${deviceName}/rrpc/request/+`,
      qos: '0',
      datatype: 'utf8',
      inputs: 0,
      wires: [['answer']],
    },
    {
      id: 'in-ext',
      z: 'tab',
      type: 'mqtt in',
      broker: 'broker',
      topic: `/ext/rrpc/+/sys/${PRODUCT_KEY}/${deviceName}/thing/service/+`,
      qos: '0',
      datatype: 'utf8',
      inputs: 0,
      wires: [['answer']],
    },
    { id: 'answer', z: 'tab', type: 'function', func: ANSWER, outputs: 1, libs: [], wires: [['out']] },
    {
      id: 'out',
      z: 'tab',
      type: 'mqtt out',
      broker: 'broker',
      topic: '',
      qos: '0',
      retain: 'false',
      wires: [],
    },
    { id: 'status', z: 'tab', type: 'status', scope: ['in'], wires: [['states']] },
    sink('states'),
  ]);
  await red.next('states', ({ status }) => status?.fill === 'green');
  return () => red.stop();
});
