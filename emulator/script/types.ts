/** Functions that the platform calls in a product's script. */
export const SCRIPT_FUNCTIONS = ['rawDataToProtocol', 'protocolToRawData', 'transformPayload'] as const;
export type ScriptFunction = (typeof SCRIPT_FUNCTIONS)[number];

/** What a script may use up in one call. */
export interface ScriptLimits {
  /** Time of one call, its loading included. */
  scriptMs: number;
  scriptMemoryBytes: number;
  scriptStackBytes: number;
  /** Length of what a call returns, as JSON text. */
  scriptResultBytes: number;
  /** Calls that wait for their turn. */
  scriptQueue: number;
}

/**
 * What came of a call: the result as JSON text, or a code of C.4: 26001 no script, 26002 threw or used too much,
 * 26006 no such function, 26007 wrong type of result, 26010 too many calls.
 */
export type ScriptOutcome =
  | { ok: true; json: string }
  | { ok: false; code: 26001 | 26002 | 26006 | 26007 | 26010; reason: string };

/** A call on its way into the sandbox. */
export interface ScriptCall {
  name: ScriptFunction;
  /** JSON text of each argument. */
  args: string[];
}

/** What the thread of a script is started with. */
export interface WorkerStart {
  script: string;
  limits: ScriptLimits;
}

/** The thread's first message; every other one is the outcome of the call before it. */
export const READY = 'ready';

const LONGEST_SCRIPT_BYTES = 128 * 1024;

/** Why a text cannot be a product's script; undefined when it can. */
export function scriptProblem(script: string): string | undefined {
  const bytes = Buffer.byteLength(script);
  return bytes > LONGEST_SCRIPT_BYTES ? `${bytes} bytes, at most ${LONGEST_SCRIPT_BYTES}` : undefined;
}
