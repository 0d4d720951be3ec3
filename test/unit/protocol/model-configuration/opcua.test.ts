import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { Json } from '../../../../protocol';
import {
  type FlowNode,
  generateFlow,
  readModelConfiguration,
} from '../../../../protocol/model-configuration';
import { BOILER_HOUSE } from '../../../support/boiler-house';
import { RunningOpcUaTab } from '../../../support/generated-opcua-flow';
import { nodeId } from '../../../support/opcua-client';

const OPTIONS = { gateway: 'a11ce0de00000001' };
const flow = () => generateFlow(readModelConfiguration(BOILER_HOUSE), OPTIONS);
const boiler = (deviceName: string) => ({ productKey: 'a1Boiler', deviceName });

function found(): RunningOpcUaTab {
  const tab = new RunningOpcUaTab(flow());
  tab.tick();
  tab.tick();
  return tab;
}

describe('generated flow for OPC UA', () => {
  it('has one client and one endpoint for the server; a password only when it is given', () => {
    const endpoints = (nodes: FlowNode[]) => nodes.filter(({ type }) => type === 'OpcUa-Endpoint');
    const [endpoint] = endpoints(flow());
    assert.equal(flow().filter(({ type }) => type === 'OpcUa-Client').length, 1);
    assert.deepEqual(
      [endpoint?.endpoint, endpoint?.secpol, endpoint?.secmode, endpoint?.login, endpoint?.credentials],
      ['opc.tcp://10.0.0.9:4840', 'Basic256', 'Sign', true, { user: 'reader' }],
    );
    const passwords = new Map([['ua', 'open']]);
    const [open] = endpoints(generateFlow(readModelConfiguration(BOILER_HOUSE), { ...OPTIONS, passwords }));
    assert.deepEqual(open?.credentials, { user: 'reader', password: 'open' });
    // Neither decrypted nor encrypted.
    assert.ok(!JSON.stringify(flow()).includes('AAAA'));
  });

  it('finds the devices by their display names and reports their variables', () => {
    const tab = found();
    assert.deepEqual(
      tab.reports,
      ['boiler-1', 'boiler-2'].map((name) => ({
        topic: name,
        device: boiler(name),
        payload: { temperature: 71.5, burner: 0, total: '9007199254740993' },
      })),
    );
    tab.reports.length = 0;
    tab.tick();
    assert.deepEqual(tab.reports, []);
    tab.client.at('ns=2;s=Boiler 2/t').value = 72;
    tab.tick();
    assert.deepEqual(tab.reports, [
      { topic: 'boiler-2', device: boiler('boiler-2'), payload: { temperature: 72 } },
    ]);
    assert.deepEqual(tab.warnings, []);
  });

  it('values of each type as they are meant', () => {
    const tab = found();
    const total = tab.client.at('ns=2;s=Boiler 1/n');
    total.value = [4_294_967_295, 4_294_967_295];
    const temperature = tab.client.at('ns=2;s=Boiler 1/t');
    [temperature.value, temperature.type] = [21.299999237060547, 10];
    tab.reports.length = 0;
    tab.tick();
    // A list of two numbers is no number of 64 bits.
    [total.value, total.type] = [[1, 2], 6];
    tab.tick();
    assert.deepEqual(
      tab.reports.map(({ payload }) => payload),
      [{ temperature: 21.3, total: '18446744073709551615' }],
    );
  });

  it('gives the client one command at a time, and tells once that the server is away', () => {
    const tab = found();
    tab.client.connection = 'lost';
    const before = tab.client.commands.length;
    for (let i = 0; i < 25; i++) tab.tick();
    assert.equal(tab.client.commands.length, before + 3);
    assert.deepEqual(tab.warnings, ['the server: does not answer']);
    tab.client.connection = 'active';
    tab.client.at('ns=2;s=Boiler 2/t').value = 72;
    for (let i = 0; i < 12; i++) tab.tick();
    assert.deepEqual(tab.reports.at(-1)?.payload, { temperature: 72 });
    // The client has mended the subscription itself.
    assert.equal(tab.client.subscriptions.length, 1);
  });

  it('without a session the client gets nothing but the command to connect, once a minute', () => {
    const tab = found();
    tab.client.connection = 'refused';
    tab.client.commands.length = 0;
    for (let i = 0; i < 130; i++) tab.tick();
    assert.deepEqual(
      tab.client.commands.map(({ action }) => action),
      ['readmultiple', 'connect', 'connect', 'connect'],
    );
    assert.deepEqual(tab.warnings, ['the server: is not connected (connection error)']);
    const alink = { request: 'a' };
    tab.send({ device: boiler('boiler-1'), alink, payload: { burner: 1 } });
    tab.send({
      device: boiler('boiler-2'),
      alink: { ...alink, identifier: 'mix' },
      payload: { recipe: 'A', seconds: 1 },
    });
    assert.deepEqual(
      tab.replies.map(({ code, reason }) => [code, reason]),
      Array(2).fill([400, 'there is no connection to the server']),
    );
    tab.client.connection = 'active';
    tab.send(tab.client.status('session active'));
    tab.tick();
    assert.equal(tab.client.subscriptions.length, 2);
    assert.ok(!tab.client.commands.some(({ action }) => action === 'write' || action === 'method'));
  });

  it('what leads to several devices is browsed once', () => {
    const tab = found();
    const browsed = tab.client.commands.flatMap(({ action, topic }) => (action === 'browse' ? [topic] : []));
    assert.deepEqual(
      ['ns=0;i=85', 'ns=2;s=Hall 1'].map((id) => browsed.filter((topic) => topic === id).length),
      [1, 1],
    );
  });

  it('names a device and what is missing of one', () => {
    const tab = new RunningOpcUaTab(flow());
    tab.client.at('ns=2;s=Hall 1').children.pop();
    tab.client.at('ns=2;s=Boiler 1').children.shift();
    for (let i = 0; i < 4; i++) tab.tick();
    assert.deepEqual(
      [...tab.warnings].sort(),
      ['a1Boiler/boiler-2: "Boiler 2" is not found on the server', 'a1Boiler/boiler-1: has no Temp.1'].sort(),
    );
  });

  it('looks again when the server has given its nodes other ids', () => {
    const tab = found();
    tab.client.rename('ns=2;s=Boiler 1/t', 'another');
    tab.tick();
    const before = tab.client.commands.length;
    tab.tick();
    assert.ok(
      tab.client.commands
        .slice(before)
        .some(({ action, topic }) => action === 'browse' && topic === 'ns=0;i=85'),
    );
  });

  it('a newer flow finds what it has more, and fewer devices do no harm', () => {
    const tab = found();
    const newer = structuredClone(BOILER_HOUSE);
    (newer.deviceList as Json[]).shift();
    const [model] = newer.modelList as Array<{ properties: Json[] }>;
    model?.properties.push({ identifier: 'again', displayName: 'Temp.1' });
    tab.reports.length = 0;
    tab.replace(generateFlow(readModelConfiguration(newer), OPTIONS));
    tab.tick();
    tab.tick();
    assert.deepEqual(tab.reports, [
      { topic: 'boiler-2', device: boiler('boiler-2'), payload: { again: 71.5 } },
    ]);
  });

  it('writes properties and answers', () => {
    const tab = found();
    tab.send({
      device: boiler('boiler-1'),
      alink: { request: 'a' },
      payload: { burner: 1, total: '9007199254740993' },
    });
    const writes = tab.client.commands.filter(({ action }) => action === 'write');
    assert.deepEqual(
      writes.map(({ topic, datatype, payload }) => [topic, datatype, payload]),
      [
        ['ns=2;s=Boiler 1/b', 'Boolean', true],
        ['ns=2;s=Boiler 1/n', 'UInt64', { value: '9007199254740993' }],
      ],
    );
    assert.deepEqual(tab.replies, [
      { alink: { request: 'a' }, device: boiler('boiler-1'), payload: {}, code: 200, reason: '' },
    ]);
  });

  it('answers why a property was not written', () => {
    const tab = found();
    const set = (payload: Json, deviceName = 'boiler-1') => {
      tab.send({ device: boiler(deviceName), alink: { request: 'a' }, payload });
      const { code, reason } = tab.replies.pop() ?? {};
      return [code, reason];
    };
    tab.client.writeStatus = 0x803b0000;
    assert.deepEqual(set({ burner: 1 }), [
      400,
      'burner: the server refuses it (The access level does not allow writing to the Node.)',
    ]);
    assert.deepEqual(set({ other: 1 }), [460, 'other: is not on the server']);
    for (const wrong of ['many', '', -1, '18446744073709551616', 1e300, Number.NaN, [1, 2], {}, null]) {
      assert.equal(set({ total: wrong } as Json)[0], 460, String(wrong));
    }
    assert.deepEqual(set({ burner: 'off' }), [460, 'burner: off is neither true nor false']);
    tab.client.connection = 'lost';
    assert.deepEqual(set({ burner: 1 }), [400, 'there is no connection to the server']);
    assert.deepEqual(set({ burner: 1 }, 'of another server'), [undefined, undefined]);
    const early = new RunningOpcUaTab(flow());
    early.send({ device: boiler('boiler-1'), alink: { request: 'a' }, payload: { burner: 1 } });
    assert.equal(early.replies[0]?.code, 400);
  });

  it('calls methods with arguments and outputs by their indices', () => {
    const tab = found();
    const alink = { request: 'a', identifier: 'mix' };
    tab.send({ device: boiler('boiler-2'), alink, payload: { seconds: 20, recipe: 'A' } });
    const [call] = tab.client.commands.filter(({ action }) => action === 'method');
    assert.deepEqual(
      [call?.objectId, call?.methodId, call?.inputArguments],
      [
        'ns=2;s=Boiler 2',
        'ns=2;s=Boiler 2/m',
        [
          { dataType: 'String', value: 'A' },
          { dataType: 'UInt16', value: 20 },
        ],
      ],
    );
    assert.deepEqual(tab.replies, [
      { alink, device: boiler('boiler-2'), payload: { ok: 1, batch: 42 }, code: 200, reason: '' },
    ]);
    tab.send({ device: boiler('boiler-2'), alink: { request: 'b', identifier: 'stir' }, payload: {} });
    assert.equal(tab.replies[1]?.code, 400);
    tab.send({ device: boiler('boiler-2'), alink, payload: { seconds: 70_000, recipe: 'A' } });
    assert.deepEqual(tab.replies[2]?.reason, 'seconds: 70000 is not 0–65535');
  });

  it('calls methods one after the other, so that a failure belongs to one of them', () => {
    const tab = found();
    tab.client.slow = true;
    const mix = (request: string) =>
      tab.send({
        device: boiler('boiler-1'),
        alink: { request, identifier: 'mix' },
        payload: { seconds: 1, recipe: 'A' },
      });
    const replies = () =>
      tab.replies.splice(0).map(({ alink, code, reason }) => [Object(alink).request, code, reason]);
    for (const request of ['a', 'b', 'c']) mix(request);
    assert.equal(tab.client.underWay.length, 1);
    tab.answer(tab.client.finish('One or more arguments are invalid.'));
    assert.deepEqual(replies(), [['a', 400, 'the method failed (One or more arguments are invalid.)']]);
    assert.equal(tab.client.underWay.length, 1);
    // Nobody waits for the third one any more.
    tab.now += 11_000;
    tab.answer(tab.client.finish());
    assert.deepEqual(replies(), [['b', 200, '']]);
    assert.equal(tab.client.underWay.length, 0);
    tab.client.connection = 'lost';
    mix('d');
    assert.deepEqual(replies(), [['d', 400, 'the method failed (Invalid Channel BadConnectionClosed)']]);
    tab.client.connection = 'active';
    // One that never answers does not stop the others for ever.
    mix('e');
    for (let i = 0; i < 62; i++) tab.tick();
    mix('f');
    assert.equal(tab.client.underWay.length, 2);
  });

  it('goes on when the clock was set back: after what was lost, without a session, and with what was not found', () => {
    const lostOne = found();
    const { take } = lostOne.client;
    lostOne.client.take = () => [];
    lostOne.tick();
    lostOne.client.take = take;
    lostOne.now -= 3_600_000;
    lostOne.reports.length = 0;
    lostOne.client.at('ns=2;s=Boiler 2/t').value = 72;
    for (let i = 0; i < 3; i++) lostOne.tick();
    assert.deepEqual(
      lostOne.reports.map(({ topic }) => topic),
      ['boiler-2'],
    );

    const away = new RunningOpcUaTab(flow());
    const hall = away.client.at('ns=2;s=Hall 1');
    const { displayName } = hall;
    hall.displayName = 'elsewhere';
    for (let i = 0; i < 2; i++) away.tick();
    hall.displayName = displayName;
    away.now -= 3_600_000;
    for (let i = 0; i < 3; i++) away.tick();
    assert.equal(away.reports.length, 2);

    const without = found();
    const error = 'without OPC UA client';
    without.send({ status: 'create client', endpoint: 'opc.tcp://10.0.0.9:4840', error });
    const connects = () => without.client.commands.filter(({ action }) => action === 'connect').length;
    assert.equal(connects(), 1);
    without.tick();
    assert.equal(connects(), 1);
    without.now -= 3_600_000;
    without.tick();
    assert.equal(connects(), 2);
  });

  it('subscribes events once for each session and reports them by their indices', () => {
    const tab = found();
    tab.tick();
    const subscriptions = () => tab.client.commands.filter(({ action }) => action === 'events');
    assert.equal(subscriptions().length, 1);
    assert.deepEqual(subscriptions()[0]?.customEventFields, ['2:Where', '2:Value']);
    const payload = {
      EventId: '0x01',
      OverheatType: nodeId(2, 4002),
      'Boiler 2': nodeId(2, 'Boiler 2'),
      Severity: 500,
      '2:Where': 'top',
      '2:Value': 130.5,
    };
    tab.send({ topic: '0x01', payload });
    // The client leaves out what is 0.
    const { '2:Value': _zero, ...zero } = payload;
    tab.send({ topic: '0x02', payload: zero });
    tab.send({ topic: '0x03', payload: { ...payload, OverheatType: nodeId(2, 9) } });
    tab.send({ topic: '0x04', payload: { ...payload, 'Boiler 2': nodeId(2, 'Boiler 9') } });
    const event = (value: number) => ({
      topic: 'boiler-2',
      device: boiler('boiler-2'),
      alink: { identifier: 'overheat' },
      payload: { where: 'top', value },
    });
    assert.deepEqual(tab.events, [event(130.5), event(0)]);
    // A second subscription beside the first would tell each event twice.
    for (let i = 0; i < 130; i++) tab.tick();
    assert.equal(subscriptions().length, 1);
    tab.send(tab.client.status('session active'));
    tab.tick();
    assert.equal(subscriptions().length, 2);
  });

  it('an event of a variable of the device is one of the device', () => {
    const tab = found();
    tab.send({
      payload: { OverheatType: nodeId(2, 4002), 'Temp.1': nodeId(2, 'Boiler 1/t'), '2:Where': 'top' },
    });
    assert.deepEqual(
      tab.events.map(({ topic, payload }) => [topic, payload]),
      [['boiler-1', { where: 'top', value: 0 }]],
    );
  });

  it('subscribes anew when the server has other fields after it was set up anew', () => {
    const tab = found();
    tab.client.rename('ns=2;s=Boiler 1/t', 'another');
    const [field] = tab.client.at('ns=2;i=4002').children;
    assert.ok(field);
    field.browseName = 'Place';
    for (let i = 0; i < 32; i++) tab.tick();
    assert.deepEqual(tab.client.subscriptions, [['2:Place', '2:Value']]);
  });
});
