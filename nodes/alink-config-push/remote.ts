import type { Node, NodeAPI } from 'node-red';
import { AlinkError, type CurrentConfiguration, type Device, type ReceivedConfiguration } from '../../sdk';
import { toAlinkError } from '../shared/flow-error';
import { type AlinkMessage, namesOf } from '../shared/flow-node';
import { invalidInput } from '../shared/invalid-input';
import type { StatusLine } from '../shared/status';
import type { AlinkInfo } from '../shared/types';
import { type ConfigPushDef, listeningOptions } from './settings';

/** What a kind of configuration does in a flow. */
export interface Work {
  /** @returns function that ends it. @throws AlinkError `badSettings` */
  open: (device: Device) => () => void;
  /** A message came in. @returns what goes out at once. @throws AlinkError */
  input: (device: Device, msg: AlinkMessage) => Promise<AlinkMessage[]>;
}

/** What every kind of configuration uses to reach the flow. */
export interface Outlet {
  /**
   * @param options `keepStatus`: the status goes on telling what went wrong last; `leftOut`: sentences about what the
   * document has and nothing came of
   */
  send: (
    messages: readonly object[],
    options?: { keepStatus?: boolean; leftOut?: readonly string[] },
  ) => void;
  problem: (error: AlinkError, about: Partial<AlinkInfo>) => void;
  status: Pick<StatusLine, 'loadingAgain' | 'trial'>;
}

/** `msg.alink` of a remote configuration. */
interface ConfigurationInfo extends AlinkInfo {
  configId: string;
  /** Bytes. */
  size: number;
  /** SHA-256. */
  digest: string;
  source: 'push' | 'get' | 'rollback';
  /** Token for the reply node; only while `pending`. */
  request?: string;
  /** Seconds within which the platform has to be reached again. */
  guard?: number;
  /** Of a rollback: the configuration that did not stand, and why. */
  rolledBack?: { configId: string; problem: string };
}

/** Remote configuration: each is handed on once, and answered at once or by the flow. */
export function remoteWork(RED: NodeAPI, node: Node, def: ConfigPushDef, outlet: Outlet): Work {
  const byFlow = def.reply === 'flow';

  const deliver = (configuration: ReceivedConfiguration) => {
    outlet.status.trial(undefined);
    if (!byFlow) {
      configuration.answer({}).catch((thrown: unknown) => {
        const error = toAlinkError(thrown);
        // Another node of the same device has refused it meanwhile, which ends it for all.
        if (error.key !== 'alreadyAnswered') outlet.problem(error, infoOf(configuration, 'failed'));
      });
    }
    const { document: payload, source } = configuration;
    const message = { payload, alink: infoOf(configuration, byFlow ? 'pending' : 'answered') };
    // That the one before was taken back stays to be seen: it is why this one comes.
    outlet.send([message], { keepStatus: source === 'rollback' });
  };

  return {
    open: (device) =>
      device.configuration.onPush(deliver, {
        ...listeningOptions(RED, node, def),
        onProblem: (error) => outlet.problem(error, namesOf(device)),
        onRetry: (error, waitMs) => outlet.status.loadingAgain(error, waitMs),
        onTrial: (_, until) => outlet.status.trial(until),
        onConfirmed: () => outlet.status.trial(undefined),
      }),
    input: async (device, msg) => {
      const { again, kept } = msg as { again?: unknown; kept?: unknown };
      if (kept === true) return [inUse(msg, device, await current(device), 'kept')];
      const { configId, status } = await device.configuration.get({ again: again === true });
      if (status === 'rolledBack') throw rolledBack(configId);
      // Any other came out of the node like one that was pushed.
      return status === 'unchanged' ? [inUse(msg, device, await current(device), 'unchanged')] : [];
    },
  };
}

/** @throws AlinkError `invalidInput` when there is none */
async function current({ configuration }: Device): Promise<CurrentConfiguration> {
  const found = await configuration.current();
  if (found) return found;
  throw invalidInput('noConfiguration', 'no configuration has been accepted yet');
}

/** The message that came in, with the configuration that is in use. */
function inUse(
  msg: AlinkMessage,
  device: Device,
  { configId, document, confirmed }: CurrentConfiguration,
  status: 'unchanged' | 'kept',
): AlinkMessage {
  const method = status === 'unchanged' ? { method: 'thing.config.get' } : {};
  const alink = { status, ...method, ...namesOf(device), configId, confirmed };
  return Object.assign(msg, { payload: document, alink });
}

function infoOf(configuration: ReceivedConfiguration, status: string): ConfigurationInfo {
  const { configId, size, digest, source, token, guardMs, reason, identity, receivedAt } = configuration;
  return {
    status,
    ...(status === 'pending' ? { request: token } : {}),
    id: configId,
    method: source === 'get' ? 'thing.config.get' : 'thing.config.push',
    ...namesOf({ identity }),
    configId,
    size,
    digest,
    source,
    time: receivedAt,
    ...(guardMs === undefined ? {} : { guard: guardMs / 1000 }),
    ...(reason === undefined ? {} : { rolledBack: { ...reason } }),
  };
}

function rolledBack(configId: string): AlinkError {
  const reason = 'it was taken back before; msg.again = true tries it once more';
  return new AlinkError('configurationTakenBack', `${configId}: ${reason}`, {
    details: { configId, reason, rule: 'takenBackBefore' },
  });
}
