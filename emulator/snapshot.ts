import { readFile } from 'node:fs/promises';
import writeFileAtomic from 'write-file-atomic';
import { isJsonObject, type Json, parseThingModel } from '../protocol';
import { readGroups, writeGroups } from './group-snapshot';
import { readJobs, writeJobs } from './job-snapshot';
import { readFirmwares, writeFirmwares } from './ota-snapshot';
import type { Platform } from './platform';
import type { Device } from './registry/device';
import { OPEN_TOPIC_CLASSES, type Product } from './registry/product';
import { scriptProblem } from './script/types';

/** A snapshot file that cannot be read. */
export class SnapshotError extends Error {
  override readonly name = 'SnapshotError';
}

/**
 * Brings back what `writeSnapshot` wrote; a missing file is an empty one.
 * @param unnamed devices of the configuration that get their secret from here
 * @throws SnapshotError
 */
export async function readSnapshot(
  platform: Platform,
  file: string,
  unnamed: ReadonlySet<Device>,
): Promise<void> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw new SnapshotError(`the snapshot ${file} cannot be read`, { cause: thrown });
  }
  let content: Json;
  try {
    content = JSON.parse(text) as Json;
  } catch (thrown) {
    throw new SnapshotError(`the snapshot ${file} is not JSON`, { cause: thrown });
  }
  const products = isJsonObject(content) && Array.isArray(content.products) ? content.products : [];
  for (const entry of products) restoreProduct(platform, entry, unnamed);
  for (const entry of products) restoreTopology(platform, entry);
  if (!isJsonObject(content)) return;
  readGroups(platform.registry, content.groups);
  readJobs(platform.registry, content.jobs);
  readFirmwares(platform, content.firmwares);
}

/** Writes products, devices with their latest values, the topology, jobs, firmware and remote configurations, readable by the owner only because it holds secrets. */
export async function writeSnapshot(platform: Platform, file: string): Promise<void> {
  const products = [...platform.registry.products.values()].map((product) => ({
    productKey: product.productKey,
    productSecret: product.productSecret,
    dynamicRegistration: product.dynamicRegistration,
    dataFormat: product.dataFormat,
    nodeType: product.statedNodeType,
    script: product.script?.text,
    thingModel: product.thingModel?.document,
    draftModel: product.draftModel?.document,
    configuration: {
      enabled: product.configuration.enabled,
      configId: product.configuration.stored?.configId,
      content: product.configuration.stored?.text,
    },
    devices: [...product.devices.values()].map((device) => ({
      deviceName: device.identity.deviceName,
      deviceSecret: device.deviceSecret,
      activatedAt: device.activatedAt,
      enabled: device.enabled,
      deviceToken: device.deviceToken,
      tags: Object.fromEntries(device.tags),
      desired: [...device.desired].map(([identifier, desired]) => ({ identifier, ...desired })),
      shadow: device.shadow.isEmpty ? undefined : device.shadow.document(),
      logMode: device.logMode,
      moduleVersions: [...device.moduleVersions].map(([module, version]) => ({ module, ...version })),
      // Null: behind none, whatever the configuration says of the start.
      gateway: platform.registry.topology.gatewayOf(device)?.identity ?? null,
      properties: [...device.properties].map(([identifier, ring]) => ({ identifier, ...ring.last() })),
    })),
  }));
  const groups = writeGroups(platform.registry);
  const jobs = writeJobs(platform.registry);
  const firmwares = writeFirmwares(platform);
  await writeFileAtomic(file, JSON.stringify({ version: 1, products, groups, jobs, firmwares }), {
    mode: 0o600,
  });
}

// The configuration file decides about products that it names; the snapshot adds what happened to them.
function restoreProduct(platform: Platform, entry: Json, unnamed: ReadonlySet<Device>): void {
  if (!isJsonObject(entry) || typeof entry.productKey !== 'string') return;
  const { registry } = platform;
  const configured = registry.products.get(entry.productKey);
  const product =
    configured ??
    registry.addProduct({
      productKey: entry.productKey,
      topics: OPEN_TOPIC_CLASSES,
      dynamicRegistration: entry.dynamicRegistration === true,
      dataFormat: entry.dataFormat === 'custom' ? 'custom' : 'alink',
      ...(entry.nodeType === 'device' || entry.nodeType === 'gateway' ? { nodeType: entry.nodeType } : {}),
      ...(typeof entry.productSecret === 'string' ? { productSecret: entry.productSecret } : {}),
      ...(isJsonObject(entry.thingModel) ? { thingModel: parseThingModel(entry.thingModel) } : {}),
    });
  const { script } = entry;
  if (configured === undefined && typeof script === 'string' && scriptProblem(script) === undefined) {
    platform.setScript(product, script);
  }
  restoreConfiguration(platform, product, entry.configuration);
  if (isJsonObject(entry.draftModel)) product.draftModel = parseThingModel(entry.draftModel);
  for (const saved of Array.isArray(entry.devices) ? entry.devices : []) {
    if (!isJsonObject(saved) || typeof saved.deviceName !== 'string') continue;
    const secret = typeof saved.deviceSecret === 'string' ? saved.deviceSecret : undefined;
    const device =
      product.devices.get(saved.deviceName) ?? registry.addDevice(product, saved.deviceName, secret);
    if (secret !== undefined && unnamed.has(device)) device.deviceSecret = secret;
    restoreDevice(device, saved);
  }
}

function restoreConfiguration({ configurations }: Platform, product: Product, saved: Json | undefined): void {
  if (!isJsonObject(saved)) return;
  const { enabled, configId, content } = saved;
  try {
    // The id stays, so that devices that have it know it again.
    if (typeof content === 'string' && typeof configId === 'string') {
      configurations.set(product, { content }, configId);
    }
    configurations.set(product, { enabled: enabled === true });
  } catch (thrown) {
    if (!(thrown instanceof RangeError)) throw thrown;
  }
}

// Once all devices are there. Snapshots of earlier versions say nothing of gateways.
function restoreTopology({ registry }: Platform, entry: Json): void {
  if (!isJsonObject(entry) || typeof entry.productKey !== 'string') return;
  const product = registry.products.get(entry.productKey);
  for (const saved of Array.isArray(entry.devices) ? entry.devices : []) {
    if (!isJsonObject(saved) || typeof saved.deviceName !== 'string' || saved.gateway === undefined) continue;
    const device = product?.devices.get(saved.deviceName);
    if (device === undefined) continue;
    registry.topology.remove(device);
    const { productKey, deviceName } = isJsonObject(saved.gateway) ? saved.gateway : {};
    if (typeof productKey !== 'string' || typeof deviceName !== 'string') continue;
    const gateway = registry.find({ productKey, deviceName });
    if (gateway !== undefined && gateway !== device) registry.topology.add(gateway, device);
  }
}

function restoreDevice(device: Device, saved: { [name: string]: Json }): void {
  if (typeof saved.activatedAt === 'number') device.activatedAt = saved.activatedAt;
  if (saved.enabled === false) device.enabled = false;
  const { deviceToken, tags, properties, desired } = saved;
  if (saved.logMode === 1) device.logMode = 1;
  device.shadow.restore(saved.shadow);
  if (
    isJsonObject(deviceToken) &&
    typeof deviceToken.clientId === 'string' &&
    typeof deviceToken.token === 'string'
  ) {
    device.deviceToken = { clientId: deviceToken.clientId, token: deviceToken.token };
  }
  if (isJsonObject(tags)) {
    for (const [key, value] of Object.entries(tags))
      if (typeof value === 'string') device.tags.set(key, value);
  }
  for (const entry of Array.isArray(desired) ? desired : []) {
    if (!isJsonObject(entry)) continue;
    const { identifier, value = null, version, time } = entry;
    if (typeof identifier !== 'string' || typeof version !== 'number' || typeof time !== 'number') continue;
    device.desired.set(identifier, { value, version, time });
  }
  for (const entry of Array.isArray(saved.moduleVersions) ? saved.moduleVersions : []) {
    const { module, version, time } = isJsonObject(entry) ? entry : {};
    if (typeof module !== 'string' || typeof version !== 'string' || typeof time !== 'number') continue;
    device.moduleVersions.set(module, { version, time });
  }
  for (const sample of Array.isArray(properties) ? properties : []) {
    if (!isJsonObject(sample) || typeof sample.identifier !== 'string' || typeof sample.time !== 'number')
      continue;
    device.storeSample(sample.identifier, { value: sample.value ?? null, time: sample.time });
  }
}
