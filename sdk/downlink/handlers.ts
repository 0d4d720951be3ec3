import { type DeviceIdentity, filterProblem, formatTopic, operation, topicMatches } from '../../protocol';
import { AlinkError } from '../errors';
import type { ReadRequest } from './read';
import type { IncomingRequest, RequestFilter, RequestHandling } from './types';

/** Somebody who takes requests. */
export interface RequestHandler {
  filter: RequestFilter;
  handle: (request: IncomingRequest) => void;
  handling: RequestHandling;
}

/** A caller who waits is better told within its own time limit, of which nobody knows more than that it is 1–8 s. */
const LONGEST_SYNC_HOLD_MS = 800;

/** Who takes which requests, and who did until a moment ago. */
export class RequestHandlers {
  readonly #handlers = new Set<RequestHandler>();
  /** When the last handler of a kind left, ms on a clock that never jumps. */
  readonly #left = new Map<string, number>();

  /**
   * @param takeoverMs how long a handler that left is expected to have a successor
   * @param outer those of the gateway, some of which take requests to its sub-devices too
   */
  constructor(
    private readonly now: () => number,
    private readonly takeoverMs: number,
    private readonly outer?: RequestHandlers,
  ) {}

  add(handler: RequestHandler): void {
    this.#handlers.add(handler);
  }

  remove(handler: RequestHandler): void {
    if (!this.#handlers.delete(handler)) return;
    this.#left.set(handler.filter.kind, this.now());
  }

  matching(request: ReadRequest): RequestHandler[] {
    return this.#all.filter(({ filter }) => takes(filter, request));
  }

  /** Whether any of them asks for desired values. */
  get wantDesired(): RequestHandler[] {
    return this.#all.filter(({ filter, handling }) => filter.kind === 'propertySet' && handling.desired);
  }

  /** How long a request that nobody takes should wait for a handler that may be on its way, ms. */
  holdFor({ kind, sync }: Pick<ReadRequest, 'kind' | 'sync'>): number {
    const left = this.#left.get(kind);
    const own = left === undefined ? 0 : Math.max(0, left + this.takeoverMs - this.now());
    const wait = Math.max(own, this.outer?.holdFor({ kind, sync: false }) ?? 0);
    return sync ? Math.min(wait, LONGEST_SYNC_HOLD_MS) : wait;
  }

  /** Of a gateway: those that take requests to its sub-devices too. */
  get forSubDevices(): RequestHandler[] {
    return [...this.#handlers].filter(({ handling }) => handling.subDevices);
  }

  get #all(): RequestHandler[] {
    return [...this.#handlers, ...(this.outer?.forSubDevices ?? [])];
  }
}

function takes(filter: RequestFilter, request: ReadRequest): boolean {
  if (filter.kind !== request.kind) return false;
  switch (filter.kind) {
    case 'service':
      return filter.identifier === undefined || filter.identifier === request.identifier;
    case 'notice':
      return filter.operation === request.operation;
    case 'rrpc':
      return filter.topic === undefined || request.customTopic === undefined
        ? filter.topic === request.customTopic
        : topicMatches(withSlash(filter.topic), request.customTopic);
    default:
      return true;
  }
}

/**
 * Topics to subscribe for a filter; instances that know `_ss=1` push most of them anyway (A.9). The first is the
 * one without which the handler gets nothing.
 * @throws AlinkError `badSettings` for a filter that cannot be subscribed
 */
export function subscriptionsFor(
  filter: RequestFilter,
  { productKey, deviceName }: DeviceIdentity,
): string[] {
  const own = `sys/${productKey}/${deviceName}`;
  const thing = `/${own}/thing`;
  switch (filter.kind) {
    case 'propertySet':
      return [`${thing}/service/property/set`];
    case 'propertyGet':
      return [`${thing}/service/property/get`];
    case 'raw':
      return [`${thing}/model/down_raw`, `/ext/rrpc/+/${own}/thing/model/down_raw`];
    case 'configuration':
      return [`${thing}/config/push`];
    case 'notice':
      return [formatTopic(operation(filter.operation).topic, { productKey, deviceName })];
    case 'service':
      checkIdentifier(filter.identifier);
      return [`${thing}/service/+`, `/${own}/rrpc/request/+`, `/ext/rrpc/+/${own}/thing/service/+`];
    case 'rrpc':
      return [rrpcFilter(filter.topic, own)];
  }
}

function rrpcFilter(topic: string | undefined, own: string): string {
  if (topic === undefined) return `/${own}/rrpc/request/+`;
  const filter = `/ext/rrpc/+${withSlash(topic)}`;
  const problem = topic === '' || topic === '/' ? 'empty' : filterProblem(filter);
  if (problem === undefined) return filter;
  throw bad('topic', `${topic}: ${problem}`);
}

function checkIdentifier(identifier: string | undefined): void {
  if (identifier === undefined || /^[^/+#\s]+$/.test(identifier)) return;
  throw bad('service', `"${identifier}" cannot be the name of a service`, 'serviceName', identifier);
}

function withSlash(topic: string): string {
  return topic.startsWith('/') ? topic : `/${topic}`;
}

/** @param rule what a program that shows the reason in another language goes by */
function bad(field: string, reason: string, rule?: string, value = ''): AlinkError {
  const details = { field, reason, ...(rule === undefined ? {} : { rule, value }) };
  return new AlinkError('badSettings', `${field}: ${reason}`, { details });
}
