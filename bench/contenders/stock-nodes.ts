import { deviceConnect } from '../../protocol';
import { hmac } from '../../protocol/hmac';
import { sink } from '../../test/support/flows';
import { startRuntime } from '../../test/support/runtime';
import { serve } from '../contender';
import { PRODUCT_KEY, postTopic, SECRET, values } from '../model';
import { awaitSink } from '../sink';

const WRITE = `
const id = String(msg.bench);
const waiting = flow.get('waiting') || new Map();
waiting.set(id, msg);
flow.set('waiting', waiting);
return { payload: JSON.stringify({ id, version: '1.0', params: msg.payload, method: 'thing.event.property.post' }) };`;
const READ = `
const reply = JSON.parse(msg.payload);
const waiting = flow.get('waiting');
const request = waiting && waiting.get(reply.id);
if (!request) return null;
waiting.delete(reply.id);
if (reply.code !== 200) { node.error('refused ' + reply.code, request); return null; }
return request;`;

/** What people wire today: function → mqtt out, mqtt in → function, at QoS 1. */
void serve(async ({ host, port, deviceName }) => {
  const identity = { productKey: PRODUCT_KEY, deviceName };
  const fields = deviceConnect(hmac, {
    ...identity,
    deviceSecret: SECRET,
    signMethod: 'hmacsha256',
    secure: false,
  });
  const topic = postTopic(deviceName);
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
    { id: 'write', z: 'tab', type: 'function', func: WRITE, outputs: 1, libs: [], wires: [['out']] },
    { id: 'out', z: 'tab', type: 'mqtt out', broker: 'broker', topic, qos: '1', retain: 'false', wires: [] },
    {
      id: 'in',
      z: 'tab',
      type: 'mqtt in',
      broker: 'broker',
      topic: `${topic}_reply`,
      qos: '1',
      datatype: 'utf8',
      inputs: 0,
      wires: [['read']],
    },
    { id: 'read', z: 'tab', type: 'function', func: READ, outputs: 1, libs: [], wires: [['sink']] },
    { id: 'status', z: 'tab', type: 'status', scope: ['in'], wires: [['states']] },
    sink('states'),
    sink(),
  ]);
  await red.next('states', ({ status }) => status?.fill === 'green');
  const expect = awaitSink(red);
  const post = (count: number, done: () => void) => {
    expect(count, done);
    red.send('write', { payload: values(count), bench: count });
  };
  return { post, stop: () => red.stop() };
});
