/** Whose set of filters: of a direct device, of a gateway itself, of a sub-device behind one (B.10). */
export type SubscriptionKind = 'device' | 'gateway' | 'subDevice';

const S = '/sys/{pk}/{dn}/thing/';

/** Wildcards keep the number low: an instance may allow only 100 subscriptions for a device (section D). */
const DEVICE = [
  `${S}event/+/post_reply`,
  `${S}event/property/+/post_reply`,
  `${S}service/#`,
  '/sys/{pk}/{dn}/rrpc/request/+',
  '/ext/rrpc/+/sys/{pk}/{dn}/thing/service/+',
  '/ext/rrpc/+/sys/{pk}/{dn}/thing/model/down_raw',
  `${S}model/+`,
  `${S}deviceinfo/+`,
  `${S}property/desired/+`,
  `${S}config/#`,
  `${S}dsltemplate/get_reply`,
  `${S}dynamicTsl/get_reply`,
  `${S}log/post_reply`,
  '/sys/{pk}/{dn}/_thing/diag/post_reply',
  `${S}reset_reply`,
  `${S}job/+`,
  '/sys/{pk}/{dn}/codec/topic/update_reply',
  `${S}bootstrap/#`,
  '/shadow/get/{pk}/{dn}',
  '/ota/device/upgrade/{pk}/{dn}',
  '/ota/device/request/{pk}/{dn}',
  `${S}ota/firmware/get_reply`,
  // The platform refuses wildcards for files (B.6).
  `${S}file/download_reply`,
  `${S}file/upload/mqtt/init_reply`,
  `${S}file/upload/mqtt/send_reply`,
  `${S}file/upload/mqtt/cancel_reply`,
  '/ext/ntp/{pk}/{dn}/response',
] as const;

const GATEWAY = [
  `${S}topo/#`,
  `${S}sub/+`,
  `${S}list/found_reply`,
  `${S}proxy/provisioning/product_register_reply`,
  `${S}gateway/permit`,
  `${S}model/config/push`,
  '/ext/session/{pk}/{dn}/combine/+',
  '/ext/error/{pk}/{dn}',
] as const;

const SUB_DEVICE = [`${S}disable`, `${S}enable`, `${S}delete`] as const;

/**
 * Topic filters of a full client on an instance that does not subscribe by itself (`_ss`), with `{pk}` and `{dn}`
 * for the device's own names (B.10). A wildcard also covers topics that the device itself publishes to: a plain
 * broker echoes those.
 */
export function subscriptions(kind: SubscriptionKind): readonly string[] {
  if (kind === 'device') return DEVICE;
  return kind === 'gateway' ? [...DEVICE, ...GATEWAY] : [...DEVICE, ...SUB_DEVICE];
}
