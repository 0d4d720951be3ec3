import {
  type AlinkRequest,
  type DeviceIdentity,
  EnvelopeError,
  explainCode,
  formatReply,
  type Json,
  parseRequest,
  type TopicVariables,
} from '../../protocol';
import type { Line } from '../broker/line';
import type { SubSessions } from '../broker/sub-sessions';
import type { RemoteConfigurations } from '../configuration/remote';
import type { PlatformMessageInput } from '../forwarding/messages';
import type { Ground } from '../ground';
import type { EmulatorLimits } from '../options';
import type { Ota } from '../ota/ota';
import type { Device } from '../registry/device';
import type { TopologyChanges } from '../topology-changes';

/** What handlers need besides what everything stands on. */
export interface HandlerPlatform extends Ground {
  readonly subSessions: SubSessions;
  readonly topology: TopologyChanges;
  readonly configurations: RemoteConfigurations;
  readonly ota: Ota;
}

/** A message of a device on a topic of the protocol. */
export interface Call {
  /** Whose topic it is: the connected device or a sub-device it speaks for. */
  device: Device;
  operation: string;
  method: string | undefined;
  topic: string;
  variables: TopicVariables;
  payload: Uint8Array;
  now: number;
  limits: EmulatorLimits;
  /** The device of these names, when the connection may speak for it. */
  speaksFor(identity: DeviceIdentity): Device | undefined;
  /** Tells applications what was stored (B.9). */
  forward(device: Device, message: PlatformMessageInput): void;
  /** For operations that concern other devices than the one that speaks. */
  platform: HandlerPlatform;
  /** The connection on which the message came. */
  line: Line;
}

/** What the platform answers, and what people read in the log. */
export interface HandlerResult {
  /** Absent: nothing is answered. */
  reply?: string | Uint8Array;
  code?: number;
  note?: string | undefined;
  /** The answer goes out on the topic of this operation of the platform instead. */
  replyOperation?: 'ota.upgrade';
}

/** The platform's side of one operation of the catalogue. */
export type Handler = (call: Call) => HandlerResult;

export interface Answer {
  code: number;
  data?: Json;
  note?: string | undefined;
}

/** Handler of an operation in the common envelope (B.0). */
export function alink(answerTo: (request: AlinkRequest, call: Call) => Answer): Handler {
  return (call) => {
    let request: AlinkRequest;
    try {
      request = parseRequest(asText(call.payload));
    } catch (thrown) {
      if (!(thrown instanceof EnvelopeError)) throw thrown;
      const code = thrown.problem === 'notJson' || thrown.problem === 'tooDeep' ? 6207 : 460;
      return { reply: writeReply('', { code }, call.method), code, note: thrown.message };
    }
    const answer = answerTo(request, call);
    const { code, note } = answer;
    if (!request.wantsReply) return { code, note };
    return { reply: writeReply(request.id, answer, call.method), code, note };
  };
}

/** The envelope of an answer (B.0). */
export function writeReply(
  id: string | number,
  { code, data = {} }: Answer,
  method: string | undefined,
): string {
  const message = code === 200 ? 'success' : (explainCode(code)?.en ?? 'failed');
  return formatReply(id, code, data, {
    message,
    version: '1.0',
    ...(method === undefined ? {} : { method }),
  });
}

/** The payload as text, without a copy of its bytes. */
export function asText(payload: Uint8Array): string {
  return Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString();
}
