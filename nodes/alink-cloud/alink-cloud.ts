import type { NodeAPI, NodeDef } from 'node-red';
import { cloudAction } from '../../protocol';
import { AlinkError } from '../../sdk';
import { badSettings, expandText, readNumber, readValue, type ValueSource } from '../shared/config';
import { toAlinkError, toFlowError } from '../shared/flow-error';
import type { AlinkMessage } from '../shared/flow-node';
import { StatusLine } from '../shared/status';
import type { DeviceNode, PlatformNode } from '../shared/types';
import { refusalOf, resultOf } from './answer';
import { OpenApiClient, refused } from './client';
import { callParameters, STANDARD_TIMEOUT } from './parameters';

interface CloudDef extends NodeDef {
  platform: string;
  /** Whose ProductKey and DeviceName go with the call; empty: `msg.device` or the parameters. */
  device: string;
  action: string;
  identifier: string;
  topic: string;
  qos: '0' | '1';
  /** Seconds that the platform waits for the device. */
  timeout: string;
  value: string;
  valueType: ValueSource;
  parameters: string;
  parametersType: ValueSource;
}

/** Calls one action of the platform's API: the application's side of what the other nodes do as a device. */
export = function alinkCloud(RED: NodeAPI): void {
  RED.nodes.registerType('alink-cloud', function (def: CloudDef) {
    RED.nodes.createNode(this, def);
    const status = new StatusLine(RED, this);
    let closed = false;
    let client: Promise<OpenApiClient> | undefined;

    const open = async (): Promise<OpenApiClient> => {
      const platform = RED.nodes.getNode(def.platform) as PlatformNode | null | undefined;
      if (typeof platform?.access !== 'function')
        throw badSettings('platform', 'no platform is chosen', 'noPlatform');
      const { openApi } = await platform.access();
      if (openApi === undefined) {
        const message = 'the platform has no access key';
        throw new AlinkError('credentialsMissing', message, { details: { field: 'AccessKey' } });
      }
      return new OpenApiClient(openApi);
    };

    const call = async (msg: AlinkMessage): Promise<void> => {
      const name = expandText(RED, this, def.action);
      if (!/^[A-Za-z]\w{1,63}$/.test(name))
        throw badSettings('action', 'is not the name of an action', 'cloudAction');
      const action = cloudAction(name);
      const timeout = readNumber(expandText(RED, this, def.timeout), 'timeout', { min: 1, max: 8 });
      const parameters = callParameters(action, {
        ...deviceNames(msg),
        // Only what the action cannot do without comes from the message: a topic or an identifier that a message
        // happens to carry must not narrow a question or turn an RRPC into one on a topic.
        identifier:
          expandText(RED, this, def.identifier) || (action.identifier?.needed ? identifierOf(msg) : ''),
        topic: expandText(RED, this, def.topic) || (action.topic?.needed ? topicOf(msg) : ''),
        qos: def.qos,
        timeout,
        value:
          action.value && (await readValue(RED, this, def.value || 'payload', def.valueType || 'msg', msg)),
        parameters: await readValue(RED, this, def.parameters || '{}', def.parametersType || 'json', msg),
      });
      client ??= open();
      // A failed start is tried again with the next message.
      client.catch(() => {
        client = undefined;
      });
      const waitMs = (timeout ?? STANDARD_TIMEOUT) * 1000;
      const body = await (await client).call(name, parameters, waitMs);
      const refusal = refusalOf(action, body);
      if (refusal !== undefined) throw refused({ ...refusal, requestId: body.RequestId });
      msg.payload = resultOf(action, body);
      msg.alink = { status: 'acknowledged', action: name, requestId: body.RequestId };
    };

    const deviceNames = (msg: AlinkMessage): { productKey?: string; deviceName?: string } => {
      const given = typeof msg.device === 'object' && msg.device !== null ? msg.device : {};
      const node = def.device ? (RED.nodes.getNode(def.device) as DeviceNode | null | undefined) : undefined;
      const read = (field: 'productKey' | 'deviceName') => {
        const own: unknown = Reflect.get(given, field);
        return typeof own === 'string' && own !== '' ? own : node?.identity?.[field];
      };
      const [productKey, deviceName] = [read('productKey'), read('deviceName')];
      return {
        ...(productKey === undefined ? {} : { productKey }),
        ...(deviceName === undefined ? {} : { deviceName }),
      };
    };

    this.on('input', async (msg: AlinkMessage, send, done) => {
      try {
        await call(msg);
      } catch (thrown) {
        const error = toAlinkError(thrown);
        const flowError = toFlowError(RED, error);
        const { requestId } = error.details;
        msg.alink = {
          status: error.key === 'cloudRefused' ? 'refused' : 'failed',
          action: def.action,
          code: flowError.code,
          message: flowError.message,
          ...(requestId === undefined ? {} : { requestId }),
        };
        if (!closed) status.error(error);
        done(flowError);
        return;
      }
      if (!closed) status.success();
      send(msg);
      done();
    });

    this.on('close', () => {
      closed = true;
      status.close();
    });
  });
};

function identifierOf({ alink }: AlinkMessage): string {
  const identifier: unknown =
    typeof alink === 'object' && alink !== null ? Reflect.get(alink, 'identifier') : undefined;
  return typeof identifier === 'string' ? identifier : '';
}

function topicOf({ topic }: AlinkMessage): string {
  return typeof topic === 'string' ? topic : '';
}
