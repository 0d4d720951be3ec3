import type { Node, NodeAPI } from 'node-red';
import {
  type ModelConfiguration,
  type ModelDevice,
  readModelConfiguration,
  spokenProblem,
} from '../../protocol/model-configuration';
import type { AlinkError, Device, DeviceIdentity, ReceivedModelConfiguration } from '../../sdk';
import { decryptOpcUaPassword } from '../../sdk/model-configuration/opcua-password';
import { badSettings } from '../shared/config';
import { toAlinkError } from '../shared/flow-error';
import { type AlinkMessage, namesOf } from '../shared/flow-node';
import { invalidInput } from '../shared/invalid-input';
import { say } from '../shared/runtime-messages';
import type { AlinkInfo } from '../shared/types';
import { messagesOf, modelMessages, OUTPUTS_BY_DEVICE } from './model-messages';
import type { Outlet, Work } from './remote';
import { type ConfigPushDef, documentOptions, MODEL_OUTPUTS } from './settings';

/** Sentences in `msg.alink.problems`, at most. */
const MOST_PROBLEMS = 200;

/** `msg.alink` of a model configuration. */
interface ModelInfo extends AlinkInfo {
  status: 'pushed' | 'kept';
  /** SHA-256. */
  digest: string;
  /** Bytes. */
  size: number;
  /** Devices that can be used. */
  devices: number;
}

interface Output {
  messages: object[];
  /** Sentences about what the document has and nothing came of. */
  leftOut: string[];
}

/** Model configuration of a gateway: nobody waits for an answer, so what cannot be used is an error of the flow. */
export function modelWork(RED: NodeAPI, node: Node, def: ConfigPushDef, outlet: Outlet): Work {
  const output = MODEL_OUTPUTS.find((name) => name === def.output) ?? 'document';

  const outputOf = async (received: ReceivedModelConfiguration, asked?: unknown): Promise<Output> => {
    const { document, digest, size, source, identity, receivedAt } = received;
    const configuration = readModelConfiguration(document);
    const language = say(RED, 'language', {}, 'en') === 'zh' ? 'zh-CN' : 'en-US';
    const problems = configuration.problems.map((problem) => spokenProblem(problem, language));
    const leftOut = problems.filter((_, i) => configuration.problems[i]?.effect === 'leftOut');
    const undecrypted: string[] = [];
    const passwords =
      def.passwords === true ? await decrypt(configuration, received, undecrypted) : new Map();
    problems.push(...undecrypted);
    leftOut.push(...undecrypted);
    const alink: ModelInfo = {
      status: source === 'push' ? 'pushed' : 'kept',
      method: 'thing.model.config.push',
      ...namesOf({ identity }),
      digest,
      size,
      time: receivedAt,
      devices: configuration.devices.length,
      ...(problems.length > 0 ? { problems: problems.slice(0, MOST_PROBLEMS) } : {}),
    };
    const device = OUTPUTS_BY_DEVICE.includes(output) ? askedFor(asked, identity, configuration) : undefined;
    if (device)
      return {
        leftOut,
        messages: messagesOf(device, { output, passwords }).map((message) => ({
          ...message,
          alink: { ...alink, ...message.alink },
        })),
      };
    const parts = modelMessages(configuration, document, {
      output,
      passwords,
      gateway: def.device,
      name: identity.deviceName,
      flowAs: def.flowAs === 'text' ? 'text' : 'array',
      language,
    });
    const id = RED.util.generateId();
    const messages = parts.map(({ alink: more = {}, ...message }, index) => ({
      ...message,
      alink: { ...alink, ...more },
      ...(parts.length > 1 ? { parts: { id, index, count: parts.length } } : {}),
    }));
    return { messages, leftOut };
  };

  return {
    open: (device) => {
      assertGateway(device);
      const problem = (error: AlinkError) => outlet.problem(error, namesOf(device));
      const deliver = (received: ReceivedModelConfiguration) => {
        outputOf(received)
          .then(({ messages, leftOut }) => outlet.send(messages, { leftOut }))
          .catch((thrown: unknown) => problem(toAlinkError(thrown)));
      };
      const kept = def.ask === true;
      const options = documentOptions(RED, node, def);
      return device.configuration.onModelPush(deliver, {
        ...options,
        kept,
        onProblem: problem,
        onRetry: outlet.status.loadingAgain,
      });
    },
    input: async (device, msg) => {
      assertGateway(device);
      const received = await device.configuration.model();
      if (received === undefined)
        throw invalidInput('noModelConfiguration', 'no model configuration has come yet');
      const { messages } = await outputOf(received, msg.device);
      return messages.map((message): AlinkMessage => ({ ...msg, ...message }));
    },
  };
}

/**
 * Whose part of the configuration a message asks for by `msg.device`; undefined for all of it.
 * @throws AlinkError `invalidInput` when it is nobody's
 */
function askedFor(
  asked: unknown,
  gateway: DeviceIdentity,
  { devices }: ModelConfiguration,
): ModelDevice | undefined {
  const { productKey, deviceName } = (asked ?? {}) as Partial<Record<string, unknown>>;
  if (typeof productKey !== 'string' || typeof deviceName !== 'string') return undefined;
  // Messages of other nodes of the collection name the gateway.
  if (productKey === gateway.productKey && deviceName === gateway.deviceName) return undefined;
  const found = devices.find(
    (device) => device.productKey === productKey && device.deviceName === deviceName,
  );
  if (found !== undefined) return found;
  const name = `${productKey}/${deviceName}`.slice(0, 100);
  throw invalidInput('notInModelConfiguration', `the model configuration has no device ${name}`, { name });
}

/** @throws AlinkError `badSettings` when the device is none */
function assertGateway({ gateway, identity }: Device): void {
  if (gateway !== undefined) return;
  const name = `${identity.productKey}/${identity.deviceName}`;
  throw badSettings('device', `${name} is no gateway`, 'notGateway', { name });
}

/** Decrypts all passwords with the gateway's secret (H.3). @param problems gets a sentence for each that cannot be */
async function decrypt(
  { servers }: ModelConfiguration,
  { secret }: ReceivedModelConfiguration,
  problems: string[],
): Promise<Map<string, string>> {
  const passwords = new Map<string, string>();
  for (const server of servers.values()) {
    if (server.kind !== 'opcua' || server.encryptedPassword === undefined) continue;
    try {
      passwords.set(server.serverId, decryptOpcUaPassword(server.encryptedPassword, await secret()));
    } catch (thrown) {
      // Neither the password nor the secret is in it.
      problems.push(`${server.serverId}: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
    }
  }
  return passwords;
}
