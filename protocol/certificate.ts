/** What a pasted device certificate may hold; every field is optional because consoles differ. */
export interface DeviceCertificate {
  productKey?: string;
  deviceName?: string;
  deviceSecret?: string;
  productSecret?: string;
  instanceId?: string;
  region?: string;
}

const FIELDS: Record<string, keyof DeviceCertificate> = {
  productkey: 'productKey',
  devicename: 'deviceName',
  devicesecret: 'deviceSecret',
  productsecret: 'productSecret',
  instanceid: 'instanceId',
  iotinstanceid: 'instanceId',
  region: 'region',
  regionid: 'region',
};
const LONGEST_PASTE = 16_384;

/**
 * Reads the device certificate that the console's "copy" button gives: JSON, `Key: value` or `Key=value`
 * lines, tab-separated cells, source code with string constants. Unknown keys are ignored.
 * @param text whatever the user pasted
 * @returns the fields found; empty when there is none
 */
export function parseCertificate(text: string): DeviceCertificate {
  const found: DeviceCertificate = {};
  const clipped = text.slice(0, LONGEST_PASTE);
  const pair = /["']?([A-Za-z][A-Za-z_ ]{4,20}?)["']?\s*[:=：\t]\s*["']?([^\s"',;，；}{]+)/gu;
  for (const [, key = '', value = ''] of clipped.matchAll(pair)) {
    const words = key.trim().split(/\s+/);
    const joined = FIELDS[words.join('').replaceAll('_', '').toLowerCase()];
    const last = FIELDS[(words.at(-1) ?? '').replaceAll('_', '').toLowerCase()];
    const field = joined ?? last;
    if (field && found[field] === undefined) found[field] = value;
  }
  return found;
}
