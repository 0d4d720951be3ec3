import type { JsonObject } from '../../protocol';
import type { FileServer } from '../files/file-server';
import type { ServedFile } from '../files/served-file';
import { DEFAULT_MODULE } from './firmware';
import type { OtaTask } from './jobs';

/** What an offer gets wrong on purpose. */
export interface OfferFaults {
  wrongDigest: boolean;
  wrongSize: boolean;
}

/** `data` of the push and of the answers to requests (G.2). Addresses are new each time. */
export function describeOffer({ job, device }: OtaTask, server: FileServer, faults: OfferFaults): JsonObject {
  const { firmware, settings, streamId } = job;
  const { version, isDiff, signMethod, module, udi } = firmware.settings;
  const extData = { ...settings.tags, ...(udi === undefined ? {} : { _package_udi: udi }) };
  const size = ({ content }: ServedFile) => content.size + (faults.wrongSize ? 1 : 0);
  const sign = ({ digest }: ServedFile) => (faults.wrongDigest ? spoilt(digest) : digest);
  const [first, ...others] = firmware.files;
  if (first === undefined) return {};
  const common = {
    version,
    isDiff: isDiff ? 1 : 0,
    signMethod,
    ...(module === DEFAULT_MODULE ? {} : { module }),
    ...(Object.keys(extData).length === 0 ? {} : { extData }),
  };
  if (others.length > 0) {
    const files = firmware.files.map((file) => ({
      fileSize: size(file),
      fileName: file.name,
      fileUrl: server.address(device, file),
      ...(signMethod === 'MD5' ? { fileMd5: sign(file) } : {}),
      fileSign: sign(file),
    }));
    return { ...common, files };
  }
  return {
    size: size(first),
    ...common,
    // Kept for devices of the time before `sign`.
    ...(signMethod === 'MD5' ? { md5: sign(first) } : {}),
    sign: sign(first),
    ...(settings.protocol === 'MQTT'
      ? { dProtocol: 'mqtt', streamId, streamFileId: STREAM_FILE_ID }
      : { url: server.address(device, first) }),
  };
}

/** The only file of a stream: packages with several do not go over MQTT. */
export const STREAM_FILE_ID = 1;

/** A digest that is wrong. */
export function spoilt(digest: string): string {
  return (digest.startsWith('0') ? '1' : '0') + digest.slice(1);
}
