import {
  type AlinkReply,
  type DeviceIdentity,
  defaultClientId,
  formatClientId,
  type SignMethod,
  signDevice,
  thingKey,
} from '../../protocol';
import { hmac } from '../../protocol/hmac';
import { AlinkError } from '../errors';
import type { Submission } from '../report/dispatcher';
import { type BlockResult, Blocks } from './blocks';
import { Pace } from './pace';
import { WIRE_SIGN_METHODS } from './sign-methods';
import { readIdentities } from './topology';

const STANDARD_BATCH = 50;
/** The platform takes 200 a second (section D); a little less leaves room for what the network pushes together. */
const STANDARD_PER_SECOND = 190;
/** Long enough for an answer, short enough for a deploy. */
const LOGOUT_MS = 2000;
const BAD_SIGNATURE = 6287;

export interface LoginsOptions {
  /** Of the gateway. */
  request: (submission: Submission) => Promise<AlinkReply>;
  loginsPerSecond: number | undefined;
  loginBatch: number | undefined;
  /** Ask the platform to push without subscriptions. */
  autoSubscribe: boolean;
}

/** A sub-device that wants a session. */
export interface Login {
  identity: DeviceIdentity;
  deviceSecret: string;
  clientId: string | undefined;
  signMethod: SignMethod;
  cleanSession: boolean;
  /** The login is sent: it counts against the few that a sub-device has in a minute. */
  onSent: () => void;
}

/** Begins and ends sessions of sub-devices, many in a message (B.5 rows 70–73). */
export class Logins {
  readonly #options: LoginsOptions;
  readonly #logins: Blocks<Login>;
  readonly #logouts: Blocks<DeviceIdentity>;
  /** Logouts on their way, by sub-device. */
  readonly #leaving = new Map<string, Promise<void>>();
  #autoSubscribe: boolean;

  constructor(options: LoginsOptions) {
    this.#options = options;
    this.#autoSubscribe = options.autoSubscribe;
    const { loginBatch = STANDARD_BATCH, loginsPerSecond = STANDARD_PER_SECOND } = options;
    this.#logins = new Blocks({
      size: loginBatch,
      pace: new Pace(loginsPerSecond),
      send: (entries) => this.#login(entries),
    });
    this.#logouts = new Blocks({ size: loginBatch, send: (entries) => this.#logout(entries) });
  }

  /** Whether the platform pushes without subscriptions; known for sure only after the first login. */
  get isAutoSubscribed(): boolean {
    return this.#autoSubscribe;
  }

  /** @throws AlinkError with the platform's code, or as any request */
  async login(login: Login, signal: AbortSignal): Promise<void> {
    // It must not overtake a logout of the same sub-device, which would end the new session.
    await this.#leaving.get(thingKey(login.identity))?.catch(() => undefined);
    await this.#logins.add(login, signal);
  }

  /** @throws AlinkError */
  logout(identity: DeviceIdentity): Promise<void> {
    const key = thingKey(identity);
    const done = this.#logouts.add(identity).finally(() => {
      if (this.#leaving.get(key) === done) this.#leaving.delete(key);
    });
    this.#leaving.set(key, done);
    return done;
  }

  failAll(error: AlinkError): void {
    this.#logins.failAll(error);
    this.#logouts.failAll(error);
  }

  async #login(entries: readonly Login[]): Promise<BlockResult[]> {
    const asked = this.#autoSubscribe;
    try {
      return await this.#send(entries, asked);
    } catch (thrown) {
      const [only, ...others] = entries;
      const isSignature = thrown instanceof AlinkError && thrown.code === BAD_SIGNATURE;
      if (!isSignature || !asked || only === undefined || others.length > 0) throw thrown;
      // Instances that sign only the part in front of the bar know nothing of the parameters behind it (J 2).
      const results = await this.#send(entries, false);
      this.#autoSubscribe = false;
      return results;
    }
  }

  async #send(entries: readonly Login[], autoSubscribe: boolean): Promise<BlockResult[]> {
    const timestamp = String(Date.now());
    const list = entries.map((entry) => loginParams(entry, timestamp, autoSubscribe));
    for (const { onSent } of entries) onSent();
    if (list.length === 1) {
      await this.#options.request({
        operation: 'session.login',
        params: JSON.stringify(list[0]),
        options: {},
      });
      return [undefined];
    }
    const params = JSON.stringify({ deviceList: list });
    const { data } = await this.#options.request({ operation: 'session.batchLogin', params, options: {} });
    // All or nothing, but a platform that names some of them means these.
    const named = new Set(readIdentities(data).map(thingKey));
    return entries.map(({ identity }) =>
      named.size === 0 || named.has(thingKey(identity)) ? undefined : leftOut(identity),
    );
  }

  async #logout(entries: readonly DeviceIdentity[]): Promise<undefined[]> {
    const options = { timeoutMs: LOGOUT_MS };
    const list = entries.map(({ productKey, deviceName }) => ({ productKey, deviceName }));
    const [operation, params] =
      list.length === 1 ? (['session.logout', list[0]] as const) : (['session.batchLogout', list] as const);
    await this.#options.request({ operation, params: JSON.stringify(params), options });
    return entries.map(() => undefined);
  }
}

function loginParams(
  { identity, deviceSecret, signMethod, cleanSession, ...rest }: Login,
  timestamp: string,
  autoSubscribe: boolean,
): object {
  const { productKey, deviceName } = identity;
  const plain = rest.clientId ?? defaultClientId(identity);
  // As C SDK 4 does, which signs the whole text (B.5 row 72).
  const clientId = autoSubscribe ? formatClientId(plain, { _ss: 1 }) : plain;
  const signed = { clientId, deviceName, productKey, timestamp };
  return {
    ...signed,
    signMethod: WIRE_SIGN_METHODS[signMethod],
    sign: signDevice(hmac, signMethod, deviceSecret, signed),
    cleanSession: String(cleanSession),
  };
}

function leftOut(identity: DeviceIdentity): AlinkError {
  const reason = `the platform's answer leaves out ${thingKey(identity)}`;
  return new AlinkError('malformedReply', reason, {
    retry: 'slow',
    details: { operation: 'session.batchLogin', reason },
  });
}
