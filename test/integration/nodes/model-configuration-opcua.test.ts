import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'mocha';
import { BOILER_HOUSE } from '../../support/boiler-house';
import { cloud } from '../../support/cloud-node';
import { configPush, Panel, platformWith } from '../../support/config-push-nodes';
import { catchAll, device, sink, statusOf } from '../../support/flows';
import { importFlow } from '../../support/import-flow';
import { MadeUpOpcUaClient } from '../../support/opcua-client';
import { type FlowMessage, type FlowNode, type Runtime, startRuntime } from '../../support/runtime';

type Message = { [name: string]: unknown };
type Answer = (outputs: Message[][]) => void;

const HUB = { productKey: 'a1Hub', deviceName: 'hub-01' };
const BOILER = { productKey: 'a1Boiler', deviceName: 'boiler-1' };

interface DeviceView {
  properties: Record<string, { value: unknown }>;
  events: Array<{ identifier: string; value: unknown }>;
}

describe('gateway model configuration, from the console to the OPC UA server and back', () => {
  const ua = new MadeUpOpcUaClient();
  let red: Runtime;
  let panel: Panel;
  let client: { endpoint: string; credentials: object; answer: Answer } | undefined;

  before(async () => {
    red = await startRuntime();
    red.events.on('test-opcua', (msg: Message, answer: Answer) => answer(ua.take(msg)));
    red.events.on('test-opcua:client', (made: typeof client) => {
      client = made;
    });
    const online = red.next('statuses', ({ status }) => status?.fill === 'green');
    const [thingModel] = BOILER_HOUSE.tslList as object[];
    await red.deploy([
      platformWith([
        { productKey: HUB.productKey, nodeType: 'gateway' },
        {
          productKey: BOILER.productKey,
          thingModel,
          dynamicRegistration: true,
          devices: ['boiler-1', 'boiler-2'].map((deviceName) => ({ deviceName })),
        },
      ]),
      device({ id: 'gate', role: 'gateway', ...HUB, thingModelSource: 'none', thingModel: '' }),
      configPush({ device: 'gate', output: 'flow', passwords: true }),
      sink(),
      cloud('SetDeviceProperty', { device: '' }),
      cloud('InvokeThingService', { id: 'invoke', device: '', identifier: 'mix' }),
      sink('answers'),
      ...catchAll(),
      ...statusOf('config'),
    ]);
    await online;
    panel = await Panel.of(red);
    const document = structuredClone(BOILER_HOUSE);
    const [server] = document.serverList as Array<Record<string, string>>;
    // The platform encrypts it with the gateway's secret.
    if (server) server.password = 's3cret-Päss';
    const made = red.next('sink');
    await panel.post(`devices/${HUB.productKey}/${HUB.deviceName}/model-configuration`, document);
    await importFlow(red, (await made).payload as FlowNode[]);
  });
  after(() => red.stop());
  beforeEach(() => {
    ua.connection = 'active';
    ua.slow = false;
    ua.commands.length = 0;
  });

  /** Asks the platform until what it knows of the boiler is as it should be. */
  async function atPlatform(isRight: (view: DeviceView) => boolean): Promise<DeviceView> {
    const end = Date.now() + 15_000;
    for (;;) {
      const view = await panel.get<DeviceView>(`devices/${BOILER.productKey}/${BOILER.deviceName}`);
      if (view.properties !== undefined && isRight(view)) return view;
      assert.ok(Date.now() < end, JSON.stringify(view));
    }
  }

  async function invoke(payload: object): Promise<FlowMessage> {
    const answered = red.next('answers');
    red.send('invoke', { device: BOILER, payload });
    return answered;
  }

  it('the endpoint has the password that the platform encrypted', () => {
    assert.equal(client?.endpoint, 'opc.tcp://10.0.0.9:4840');
    assert.deepEqual({ ...client?.credentials }, { user: 'reader', password: 's3cret-Päss' });
  });

  it('variables become properties, and what the cloud sets stands on the server', async () => {
    await atPlatform(
      ({ properties: { temperature, burner, total } }) =>
        temperature?.value === 71.5 && burner?.value === 0 && total?.value === '9007199254740993',
    );
    const accepted = red.next('answers');
    red.send('cloud', { device: BOILER, payload: { burner: 1, total: '18446744073709551615' } });
    await accepted;
    await atPlatform(
      ({ properties: { burner, total } }) => burner?.value === 1 && total?.value === '18446744073709551615',
    );
  });

  it('a service runs a method, and its failure is told', async () => {
    const { payload } = await invoke({ recipe: 'A', seconds: 20 });
    assert.deepEqual(payload, { ok: 1, batch: 42 });
    ua.slow = true;
    const failed = red.next('errors');
    red.send('invoke', { device: BOILER, payload: { recipe: 'B', seconds: 20 } });
    const end = Date.now() + 5000;
    while (ua.underWay.length === 0) {
      assert.ok(Date.now() < end, 'the method was not called');
      await panel.get('devices');
    }
    client?.answer(ua.finish('One or more arguments are invalid.'));
    assert.match(JSON.stringify(await failed), /One or more arguments are invalid/);
  });

  it('an event becomes an event, once', async () => {
    client?.answer([ua.event('Boiler 1', { '2:Where': 'top', '2:Value': 0 }), [], []]);
    client?.answer([ua.event('Boiler 1', { '2:Where': 'top', '2:Value': 130.5 }), [], []]);
    const { events } = await atPlatform(({ events }) => events.length > 1);
    assert.deepEqual(
      events.map(({ identifier, value }) => [identifier, value]),
      [0, 130.5].map((value) => ['overheat', { where: 'top', value }]),
    );
  });

  it('a lost connection is told at once to whoever sets or calls, and does no harm', async () => {
    ua.connection = 'lost';
    const failed = red.next('errors');
    red.send('invoke', { device: BOILER, payload: { recipe: 'A', seconds: 20 } });
    assert.match(JSON.stringify(await failed), /Invalid Channel BadConnectionClosed/);
  });
});
