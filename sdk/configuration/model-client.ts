import { type Json, parseJson } from '../../protocol';
import { ModelConfigurationError, modelDocument } from '../../protocol/model-configuration/read';
import type { IncomingRequest } from '../downlink/types';
import { AlinkError, asAlinkError } from '../errors';
import type { ConfigurationDoor } from './client';
import { checkDocumentOptions, strictestDocument } from './listening';
import { readModelOffer } from './offer';
import { loadPatiently } from './patience';
import { type KeptModel, readKeptModel } from './state';
import type { Configuration, ModelListening, ReceivedModelConfiguration } from './types';

/** What model configurations need besides. */
export interface ModelDoor
  extends Pick<
    ConfigurationDoor,
    'identity' | 'store' | 'platformKey' | 'allowHttp' | 'ca' | 'onRequest' | 'timing' | 'log'
  > {
  /** The gateway's own. @throws AlinkError `credentialsMissing` */
  secret: () => Promise<string>;
}

interface Listener {
  deliver: (configuration: ReceivedModelConfiguration) => void;
  listening: ModelListening;
}

/** Pushed at the same time; of more the oldest that waits is left out. */
const MOST_WAITING = 4;

/** Model configurations of one gateway (H), shared by all its handles. Nobody waits for an answer. */
export class ModelConfigurationClient implements Pick<Configuration, 'onModelPush' | 'model'> {
  readonly #door: ModelDoor;
  readonly #listeners = new Set<Listener>();
  readonly #closing = new AbortController();
  #work: Promise<unknown> = Promise.resolve();
  #pending: IncomingRequest[] = [];
  /** What could not be written to disk, or shall not be. */
  #inMemory: KeptModel | undefined;
  #giveWay = new AbortController();
  #stopListening: (() => void) | undefined;

  constructor(door: ModelDoor) {
    this.#door = door;
  }

  onModelPush(deliver: Listener['deliver'], listening: ModelListening = {}): () => void {
    checkDocumentOptions(listening);
    const listener = { deliver, listening };
    this.#listeners.add(listener);
    this.#stopListening ??= this.#door.onRequest(
      { kind: 'notice', operation: 'thing.model.config.push' },
      (request) => this.#pushed(request),
      { onProblem: (error) => this.#problem(error) },
    );
    if (listening.kept) this.#then(() => this.#deliverKept(listener));
    return () => {
      if (!this.#listeners.delete(listener) || this.#listeners.size > 0) return;
      this.#stopListening?.();
      this.#stopListening = undefined;
    };
  }

  async model(): Promise<ReceivedModelConfiguration | undefined> {
    const kept = await this.#kept();
    return kept && this.#view('kept', kept);
  }

  close(): void {
    this.#closing.abort();
    this.#listeners.clear();
    this.#stopListening?.();
    this.#stopListening = undefined;
  }

  #pushed(request: IncomingRequest): void {
    // What counts is the last one.
    this.#pending = [...this.#pending, request].slice(-MOST_WAITING);
    this.#giveWay.abort('replaced');
    this.#then(async () => {
      if (!this.#pending.includes(request)) return;
      this.#pending = this.#pending.filter((other) => other !== request);
      await this.#take(request);
    });
  }

  async #take({ params, receivedAt }: IncomingRequest): Promise<void> {
    const { allowHttp, ca, timing, store, identity, platformKey } = this.#door;
    this.#giveWay = new AbortController();
    if (this.#pending.length > 0) this.#giveWay.abort('replaced');
    const { text, digest, document } = await loadPatiently(readModelOffer(params), {
      ...strictestDocument([...this.#listeners].map(({ listening }) => listening)),
      allowHttp,
      ca,
      handshakeMs: timing.handshakeMs,
      waits: timing.downloadBackoff,
      signal: this.#closing.signal,
      giveWay: this.#giveWay.signal,
      onRetry: (error, waitMs) => {
        for (const { listening } of [...this.#listeners])
          this.#call(() => listening.onRetry?.(error, waitMs));
      },
    });
    // What is none must not take the place of the last good one.
    checkDocument(document);
    const kept: KeptModel = { digest, text, receivedAt };
    this.#inMemory = kept;
    try {
      await store?.write('model', identity, platformKey, { ...kept });
      if (store) this.#inMemory = undefined;
    } catch (thrown) {
      this.#problem(asAlinkError(thrown, 'configurationStorage'));
    }
    for (const listener of [...this.#listeners]) this.#hand(listener, 'push', kept);
  }

  async #deliverKept(listener: Listener): Promise<void> {
    const kept = await this.#kept();
    if (kept !== undefined && this.#listeners.has(listener)) this.#hand(listener, 'kept', kept);
  }

  async #kept(): Promise<KeptModel | undefined> {
    const { store, identity, platformKey } = this.#door;
    return this.#inMemory ?? readKeptModel(await store?.read('model', identity, platformKey));
  }

  #hand({ deliver }: Listener, source: 'push' | 'kept', kept: KeptModel): void {
    this.#call(() => deliver(this.#view(source, kept)));
  }

  #view(source: 'push' | 'kept', { text, digest, receivedAt }: KeptModel): ReceivedModelConfiguration {
    const { identity, secret } = this.#door;
    const document: Json = parseJson(text);
    return { identity, source, digest, size: Buffer.byteLength(text), document, receivedAt, secret };
  }

  #then(step: () => Promise<void>): void {
    this.#work = this.#work.then(async () => {
      try {
        if (!this.#closing.signal.aborted) await step();
      } catch (thrown) {
        this.#problem(asAlinkError(thrown, 'configurationNotLoaded'));
      }
    });
  }

  #problem(error: AlinkError): void {
    // Of the end of the device, and of what is newer, there is news elsewhere.
    if (error.key === 'closed' || error.details.rule === 'replaced') return;
    for (const { listening } of [...this.#listeners]) this.#call(() => listening.onProblem?.(error));
  }

  // A listener is somebody else's code; its fault must not reach the connection or the other listeners.
  #call(listener: () => void): void {
    try {
      listener();
    } catch (thrown) {
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      this.#door.log({ level: 'warn', event: 'listenerFailed', details: { reason } });
    }
  }
}

/** @throws AlinkError `configurationNotJson` */
function checkDocument(document: Json): void {
  try {
    modelDocument(document);
  } catch (thrown) {
    if (!(thrown instanceof ModelConfigurationError)) throw thrown;
    const details = { reason: thrown.message, rule: 'modelDocument' };
    throw new AlinkError('configurationNotJson', thrown.message, { cause: thrown, details });
  }
}
