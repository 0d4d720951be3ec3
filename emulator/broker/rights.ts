import { type DeviceIdentity, topicMatches } from '../../protocol';
import type { Product } from '../registry/product';

// Topics of the platform that hold the device's own names behind these prefixes (B.1–B.6, B.8).
const OWN_PREFIXES = [
  '/sys/',
  '/icsys/',
  '/ext/session/',
  '/ext/ntp/',
  '/ext/error/',
  '/ota/device/inform/',
  '/ota/device/upgrade/',
  '/ota/device/progress/',
  '/ota/device/request/',
  '/shadow/get/',
  '/shadow/update/',
];

/** The device whose names stand in a filter; whatever else stands there names none. */
export function namedIn(filter: string): DeviceIdentity {
  const prefix = OWN_PREFIXES.find((each) => filter.startsWith(each)) ?? '/';
  const levels = filter.slice(prefix.length).split('/');
  // A call on a topic: `/ext/rrpc/+/sys/{pk}/{dn}/…`, `/ext/rrpc/+/{pk}/{dn}/…`.
  if (levels[0] === 'ext' && levels[1] === 'rrpc') levels.splice(0, levels[3] === 'sys' ? 4 : 3);
  const [productKey = '', deviceName = ''] = levels;
  return { productKey, deviceName };
}

/**
 * Whether a device may subscribe a filter: the platform's topics with its own names in them, wildcards only behind
 * these; its own topic classes with the right to subscribe; broadcasts of its product; custom-topic RRPC.
 */
export function maySubscribe(product: Product, identity: DeviceIdentity, filter: string): boolean {
  const names = `${identity.productKey}/${identity.deviceName}`;
  for (const prefix of OWN_PREFIXES) {
    if (!filter.startsWith(prefix)) continue;
    const rest = filter.slice(prefix.length);
    return rest === names || rest.startsWith(`${names}/`);
  }
  // Nobody else's messages can arrive here: an RRPC is sent to one device.
  if (filter.startsWith('/ext/rrpc/')) return true;
  if (filter.startsWith(`/broadcast/${identity.productKey}/`)) return true;
  return hasRight(product, names, filter, 'subscribe');
}

/** Whether a device may publish to one of its user-defined topics (B.8 row 102). */
export function mayPublishCustom(product: Product, identity: DeviceIdentity, topic: string): boolean {
  return hasRight(product, `${identity.productKey}/${identity.deviceName}`, topic, 'publish');
}

function hasRight(product: Product, names: string, topic: string, right: 'publish' | 'subscribe'): boolean {
  const own = `/${names}`;
  if (!topic.startsWith(`${own}/`)) return false;
  const rest = topic.slice(own.length);
  // A filter's wildcard counts as a level of its own: only a class that is as wide covers it.
  return product.topics.some(
    (topicClass) =>
      (topicClass.operation === 'all' || topicClass.operation === right) &&
      topicMatches(topicClass.topic, rest),
  );
}
