import { randomBytes } from 'node:crypto';
import { formatTopic, type Json, type JsonObject, operation } from '../../protocol';
import type { Downlink } from '../downlink/downlink';
import { bytesContent, digestNow } from '../files/content';
import type { Ground } from '../ground';
import { spoilt } from '../ota/offer';
import type { Device } from '../registry/device';
import type { Product } from '../registry/product';
import type { ConfigurationPush } from './types';

/** The console keeps the last five versions. */
const MOST_EARLIER = 4;

/** Remote configuration, the platform's side. */
export class RemoteConfigurations {
  constructor(private readonly platform: Ground & { readonly downlink: Downlink }) {}

  /**
   * Switches it on or off, and stores another content.
   * @param content JSON text or what becomes JSON
   * @param configId a new one is made when absent
   * @throws RangeError when it is no JSON or too large
   */
  set(
    product: Product,
    { enabled, content }: { enabled?: boolean; content?: Json },
    configId = randomBytes(16).toString('hex'),
  ): void {
    const { platform } = this;
    if (content !== undefined) {
      const text = textOf(content);
      const bytes = Buffer.from(text);
      const most = platform.limits.configurationBytes;
      if (bytes.length > most)
        throw new RangeError(`the configuration has ${bytes.length} bytes, at most ${most}`);
      const file = platform.files.add({
        name: `${configId}.json`,
        content: bytesContent(bytes),
        digest: digestNow(bytes, 'SHA256'),
        purpose: 'thing.config.push',
      });
      const { stored, earlier } = product.configuration;
      if (stored !== undefined) earlier.push(stored.file);
      for (const { fileId } of earlier.splice(0, earlier.length - MOST_EARLIER))
        platform.files.remove(fileId);
      product.configuration.stored = { configId, file, text, time: platform.clock() };
    }
    product.configuration.enabled = enabled ?? (content === undefined ? product.configuration.enabled : true);
  }

  /** Takes it away with its product. */
  forget({ configuration }: Product): void {
    const { stored, earlier } = configuration;
    for (const { fileId } of earlier.splice(0)) this.platform.files.remove(fileId);
    if (stored !== undefined) this.platform.files.remove(stored.file.fileId);
    configuration.stored = undefined;
  }

  /** `data` for a device that asks, or why it gets none: 6713 switched off, 6710 none stored. */
  describe(device: Device): JsonObject | 6710 | 6713 {
    const { enabled, stored } = device.product.configuration;
    if (!enabled && stored !== undefined) return 6713;
    if (stored === undefined) return 6710;
    const { files, faults } = this.platform;
    const strikes = (action: 'wrongDigest' | 'wrongSize') =>
      faults.strikeFile(action, device.identity, '', 'thing.config.push') !== undefined;
    const { file, configId } = stored;
    return {
      configId,
      configSize: file.content.size + (strikes('wrongSize') ? 1 : 0),
      sign: strikes('wrongDigest') ? spoilt(file.digest) : file.digest,
      signMethod: 'Sha256',
      url: files.address(device, file),
      getType: 'file',
    };
  }

  /** Pushes what is stored (row 34). @returns undefined when there is none or it is switched off */
  async push(device: Device): Promise<ConfigurationPush | undefined> {
    const { platform } = this;
    const params = this.describe(device);
    const { stored } = device.product.configuration;
    if (typeof params === 'number' || stored === undefined) return undefined;
    const push: ConfigurationPush = {
      configId: stored.configId,
      delivery: 'sent',
      pushedAt: platform.clock(),
      code: undefined,
      message: undefined,
    };
    device.configurationPush = push;
    const topic = formatTopic(operation('thing.config.push').topic, { ...device.identity });
    push.delivery = platform.sessionOf(device).outlook(topic, 1);
    await platform.downlink.send(device, { operation: 'thing.config.push', params }, ({ code, message }) => {
      push.code = code;
      push.message = message;
    });
    return push;
  }
}

function textOf(content: Json): string {
  if (typeof content !== 'string') return JSON.stringify(content, null, 2);
  try {
    JSON.parse(content);
  } catch {
    throw new RangeError('the configuration is not JSON');
  }
  return content;
}
