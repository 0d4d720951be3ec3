import { isJsonObject, type Json, type JsonObject, parseJson } from '../../protocol';
import type { RollbackReason } from './types';

/** What tells configurations apart. */
export interface ConfigurationName {
  configId: string;
  digest: string;
}

/** A configuration on disk. */
export interface KeptConfiguration extends ConfigurationName {
  /** The document as it came. */
  text: string;
}

/** Handed to the flow, which has not answered. */
export interface IncomingConfiguration extends KeptConfiguration {
  source: 'push' | 'get';
  /** How often it was handed on. */
  attempts: number;
  guardMs?: number;
}

/** Accepted by the flow; stands only when the platform is reached again. */
export interface TriedConfiguration extends KeptConfiguration {
  guardMs: number;
  /** ms since 1970. */
  deadline: number;
  /** A restart near or after the deadline was given some more time, once. */
  hadGrace: boolean;
}

export interface Rollback {
  reason: RollbackReason;
  /** How often the good one was handed on for it. */
  attempts: number;
}

/** Everything that has to survive a restart. */
export interface ConfigurationState {
  /** Accepted, and confirmed if it was guarded. */
  good?: KeptConfiguration | undefined;
  incoming?: IncomingConfiguration | undefined;
  tried?: TriedConfiguration | undefined;
  /** The flow has refused it, or never said; it is not delivered again by itself. */
  refused?: ConfigurationName | undefined;
  /** The good one has to be delivered again, until a flow has answered it. */
  rollback?: Rollback | undefined;
  /** What was taken back; it is not taken again by itself. */
  takenBack: ConfigurationName[];
}

const MOST_TAKEN_BACK = 50;

export function noState(): ConfigurationState {
  return { takenBack: [] };
}

/** Remembers that a configuration did not stand. */
export function takeBack(state: ConfigurationState, { configId, digest }: ConfigurationName): void {
  forgive(state, { configId, digest });
  state.takenBack = [...state.takenBack, { configId, digest }].slice(-MOST_TAKEN_BACK);
}

/** Forgets that a configuration did not stand. */
export function forgive(state: ConfigurationState, name: ConfigurationName): void {
  state.takenBack = state.takenBack.filter((other) => !isSame(other, name));
}

export function isSame(a: ConfigurationName | undefined, b: ConfigurationName): boolean {
  return a !== undefined && a.configId === b.configId && a.digest === b.digest;
}

/** Whether the flow has this one already, or had it before it was taken back. */
export function knownAs(
  { good, tried, takenBack }: ConfigurationState,
  offer: ConfigurationName,
): 'unchanged' | 'rolledBack' | undefined {
  // After a rollback the platform still has the configuration that did not stand.
  if (takenBack.some((name) => isSame(name, offer))) return 'rolledBack';
  return isSame(tried ?? good, offer) ? 'unchanged' : undefined;
}

export function writeState(state: ConfigurationState): JsonObject {
  // JSON leaves out what is undefined, and so does this type.
  const parts = Object.entries(state).filter(([, part]) => part !== undefined);
  return Object.fromEntries(parts) as JsonObject;
}

/** Reads what is on disk; a part that makes no sense is only as good as none. Never throws. */
export function readState(json: Json | undefined): ConfigurationState {
  const state = noState();
  if (json === undefined || !isJsonObject(json)) return state;
  const { takenBack } = json;
  state.good = readKept(json.good);
  state.incoming = readIncoming(json.incoming);
  state.tried = readTried(json.tried);
  state.refused = readName(json.refused);
  state.rollback = readRollback(json.rollback);
  if (Array.isArray(takenBack)) {
    const names = takenBack.map(readName).filter((name) => name !== undefined);
    state.takenBack = names.slice(-MOST_TAKEN_BACK);
  }
  return state;
}

function readKept(json: Json | undefined): KeptConfiguration | undefined {
  if (json === undefined || !isJsonObject(json)) return undefined;
  const name = readName(json);
  return name && isDocument(json.text) ? { ...name, text: json.text } : undefined;
}

function isDocument(text: Json | undefined): text is string {
  if (typeof text !== 'string') return false;
  try {
    parseJson(text);
    return true;
  } catch {
    return false;
  }
}

function readName(json: Json | undefined): ConfigurationName | undefined {
  if (json === undefined || !isJsonObject(json)) return undefined;
  const { configId, digest } = json;
  return typeof configId === 'string' && typeof digest === 'string' ? { configId, digest } : undefined;
}

function readIncoming(json: Json | undefined): IncomingConfiguration | undefined {
  const kept = readKept(json);
  if (kept === undefined || json === undefined || !isJsonObject(json)) return undefined;
  const { source, attempts, guardMs } = json;
  return {
    ...kept,
    source: source === 'get' ? 'get' : 'push',
    attempts: isCount(attempts) ? attempts : 1,
    ...(isCount(guardMs) ? { guardMs } : {}),
  };
}

function readTried(json: Json | undefined): TriedConfiguration | undefined {
  const kept = readKept(json);
  if (kept === undefined || json === undefined || !isJsonObject(json)) return undefined;
  const { guardMs, deadline, hadGrace } = json;
  if (!isCount(guardMs) || !isCount(deadline)) return undefined;
  return { ...kept, guardMs, deadline, hadGrace: hadGrace === true };
}

function readRollback(json: Json | undefined): Rollback | undefined {
  if (json === undefined || !isJsonObject(json)) return undefined;
  const { reason, attempts } = json;
  if (reason === undefined || !isJsonObject(reason)) return undefined;
  const { configId, problem } = reason;
  if (typeof configId !== 'string') return undefined;
  return {
    reason: { configId, problem: problem === 'notAnswered' ? 'notAnswered' : 'noContact' },
    attempts: isCount(attempts) ? attempts : 0,
  };
}

function isCount(value: Json | undefined): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

/** A gateway's model configuration on disk. */
export interface KeptModel {
  digest: string;
  /** The document as it came. */
  text: string;
  /** ms since 1970. */
  receivedAt: number;
}

/** Reads what is on disk. @returns undefined for what makes no sense */
export function readKeptModel(json: Json | undefined): KeptModel | undefined {
  if (json === undefined || !isJsonObject(json)) return undefined;
  const { digest, text, receivedAt } = json;
  if (typeof digest !== 'string' || !isDocument(text)) return undefined;
  return { digest, text, receivedAt: isCount(receivedAt) ? receivedAt : 0 };
}
