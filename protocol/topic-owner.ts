// Prefixes behind which a topic names its thing as `{productKey}/{deviceName}` (B.1–B.6).
const NAMED_BEHIND: readonly string[] = [
  '/sys/',
  '/icsys/',
  '/ext/session/',
  '/ext/error/',
  '/ext/ntp/',
  '/shadow/get/',
  '/shadow/update/',
];
const RRPC = '/ext/rrpc/';
const OTA = '/ota/device/';
// First levels of the platform's own topics; no productKey is called so.
const NOBODYS = ['/ext/', '/broadcast/', '/ota/', '/shadow/', '/as/'];

/**
 * Which thing a topic or filter belongs to: how a gateway finds the sub-device that a message is for. Costs no more
 * than a look at the prefixes, because it is done for each message.
 * @returns `{productKey}/{deviceName}` as `thingKey` writes it; undefined for broadcasts and what names nobody
 */
export function topicOwner(topic: string): string | undefined {
  for (const prefix of NAMED_BEHIND) if (topic.startsWith(prefix)) return names(topic, prefix.length);
  if (topic.startsWith(OTA)) return names(topic, topic.indexOf('/', OTA.length) + 1);
  if (topic.startsWith(RRPC)) {
    // The topic that the caller named stands behind the id of the call.
    const behind = topic.indexOf('/', RRPC.length);
    return behind < 0 ? undefined : topicOwner(topic.slice(behind));
  }
  return NOBODYS.some((prefix) => topic.startsWith(prefix)) ? undefined : names(topic, 1);
}

/** The two levels that begin at `from`. */
function names(topic: string, from: number): string | undefined {
  const slash = topic.indexOf('/', from);
  if (from === 0 || slash <= from) return undefined;
  const end = topic.indexOf('/', slash + 1);
  const key = end < 0 ? topic.slice(from) : topic.slice(from, end);
  return key.length > slash - from + 1 ? key : undefined;
}
