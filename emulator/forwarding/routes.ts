import { type DeviceIdentity, filterProblem, topicMatches, topicProblem } from '../../protocol';

/** Messages on `from` go to the device that owns `to`. */
export interface TopicRoute {
  /** An MQTT filter over topics of devices and of the platform's own messages (B.9). */
  from: string;
  /** A topic of one device; `${productKey}` and `${deviceName}` stand for the device a message is from. */
  to: string;
}

/** Where a message goes. */
export interface Destination {
  identity: DeviceIdentity;
  topic: string;
}

/** Why a topic cannot be the source of a route; undefined when it can. */
export function routeSourceProblem(from: string): string | undefined {
  if (!from.startsWith('/')) return 'must start with /';
  const problem = filterProblem(from);
  return problem === undefined ? undefined : `"${from.slice(0, 128)}" is not a topic (${problem})`;
}

/** Why a topic cannot be the destination of a route; undefined when it can. */
export function routeDestinationProblem(to: string): string | undefined {
  const topic = fill(to, { productKey: 'product', deviceName: 'device' });
  const problem = topicProblem(topic);
  if (problem !== undefined) return `"${to.slice(0, 128)}" is not a topic (${problem})`;
  return ownerOf(topic) === undefined ? 'must be /{productKey}/{deviceName}/… or /sys/…' : undefined;
}

/** Which topics are forwarded to which; the platform's topic routes and republishing rules in one. */
export class TopicRoutes {
  private readonly routes: TopicRoute[] = [];

  constructor(private readonly most: number) {}

  /** @returns false when there are too many; a route that is there already stays */
  add(route: TopicRoute): boolean {
    if (this.routes.some(({ from, to }) => from === route.from && to === route.to)) return true;
    if (this.routes.length >= this.most) return false;
    this.routes.push({ from: route.from, to: route.to });
    return true;
  }

  /** @returns whether it was there */
  remove(route: TopicRoute): boolean {
    const index = this.routes.findIndex(({ from, to }) => from === route.from && to === route.to);
    if (index >= 0) this.routes.splice(index, 1);
    return index >= 0;
  }

  list(): readonly TopicRoute[] {
    return this.routes;
  }

  /** Each destination of a message once, however many routes lead to it. */
  destinations(topic: string, source: DeviceIdentity): Destination[] {
    if (this.routes.length === 0) return [];
    const found = new Map<string, Destination>();
    for (const { from, to } of this.routes) {
      if (!topicMatches(from, topic)) continue;
      const target = fill(to, source);
      const identity = ownerOf(target);
      if (identity !== undefined) found.set(target, { identity, topic: target });
    }
    return [...found.values()];
  }
}

function fill(to: string, source: DeviceIdentity): string {
  return to.replace(/\$?\{(productKey|deviceName)\}/g, (_, name: keyof DeviceIdentity) => source[name]);
}

function ownerOf(topic: string): DeviceIdentity | undefined {
  const [, productKey, deviceName] = /^(?:\/sys)?\/([^/]+)\/([^/]+)\/./.exec(topic) ?? [];
  return productKey === undefined || deviceName === undefined ? undefined : { productKey, deviceName };
}
