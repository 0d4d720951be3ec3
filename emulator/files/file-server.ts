import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { OperationName } from '../../protocol';
import type { Device } from '../registry/device';
import { Ring } from '../registry/ring';
import type { FilePurpose, ServedFile } from './served-file';

/** What an address turned out to be. */
export type Opened =
  | { kind: 'file'; file: ServedFile; productKey: string; deviceName: string }
  | { kind: 'expired' | 'wrongSignature' | 'unknown' };

/** One answer of the file server. */
export interface Download {
  productKey: string;
  deviceName: string;
  purpose: FilePurpose;
  name: string;
  /** HTTP status. */
  status: number;
  /** Where in the file it began, and how many bytes were written until it ended or broke off. */
  offset: number;
  sentBytes: number;
  /** Milliseconds since 1970. */
  time: number;
}

/** Path under which the HTTP doors serve these files. */
export const FILES_PATH = '/oss/';
/** In place of a device's name. */
const NO_DEVICE = '-';
const REMEMBERED_DOWNLOADS = 1000;

/** Files behind addresses that are signed and expire, as those of the platform's object storage. */
export class FileServer {
  /** The last answers, oldest first. */
  readonly downloads = new Ring<Download>(REMEMBERED_DOWNLOADS);
  private readonly files = new Map<string, ServedFile>();
  private readonly key = randomBytes(32);

  /**
   * @param origin of the HTTP door, for a device; undefined while none is open
   * @param lifeMs how long an address works
   */
  constructor(
    private readonly origin: (device: Device) => string | undefined,
    private readonly clock: () => number,
    private readonly lifeMs: number,
  ) {}

  add(file: Omit<ServedFile, 'fileId'>): ServedFile {
    const served = { fileId: randomBytes(12).toString('hex'), ...file };
    this.files.set(served.fileId, served);
    return served;
  }

  remove(fileId: string): void {
    this.files.delete(fileId);
  }

  /** A new address of a file for one device; empty while no HTTP door is open. */
  address(device: Device, file: ServedFile): string {
    const origin = this.origin(device);
    if (origin === undefined) return '';
    const { productKey, deviceName } = device.identity;
    return origin + this.sign(pathOf(productKey, deviceName, file));
  }

  /** A new address of a file for an application. @param origin of the HTTP door for it */
  addressForApplication(origin: string, productKey: string, file: ServedFile): string {
    return origin + this.sign(pathOf(productKey, NO_DEVICE, file));
  }

  /** A path with all that makes it an address. */
  sign(path: string): string {
    const expires = Math.floor((this.clock() + this.lifeMs) / 1000);
    const signature = encodeURIComponent(this.signature(path, String(expires)).toString('base64'));
    return `${path}?Expires=${expires}&OSSAccessKeyId=emulator&Signature=${signature}`;
  }

  /** Looks an address up. */
  open(url: URL): Opened {
    const expires = url.searchParams.get('Expires') ?? '';
    const given = Buffer.from(url.searchParams.get('Signature') ?? '', 'base64');
    const expected = this.signature(url.pathname, expires);
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
      return { kind: 'wrongSignature' };
    }
    if (Number(expires) * 1000 <= this.clock()) return { kind: 'expired' };
    const [productKey = '', deviceName = '', fileId = ''] = url.pathname
      .slice(FILES_PATH.length)
      .split('/')
      .map(decodeURIComponent);
    const file = this.files.get(fileId);
    return file === undefined ? { kind: 'unknown' } : { kind: 'file', file, productKey, deviceName };
  }

  private signature(path: string, expires: string): Buffer {
    return createHmac('sha1', this.key).update(`GET\n\n\n${expires}\n${path}`).digest();
  }
}

function pathOf(productKey: string, deviceName: string, { fileId, name }: ServedFile): string {
  return FILES_PATH + [productKey, deviceName, fileId, name].map(encodeURIComponent).join('/');
}

/** The part of a file that a request asks for. @returns undefined when there is nothing of it */
export function rangeOf(
  header: string | undefined,
  size: number,
): { offset: number; end: number; partial: boolean } | undefined {
  const whole = { offset: 0, end: size, partial: false };
  // Several ranges, or what is none, are answered with the whole file, as object storage does.
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '') ?? [];
  if (first === '' && last === '') return whole;
  if (first === '') {
    const length = Math.min(Number(last), size);
    return length === 0 ? undefined : { offset: size - length, end: size, partial: true };
  }
  const offset = Number(first);
  if (last !== '' && Number(last) < offset) return whole;
  if (offset >= size) return undefined;
  return { offset, end: last === '' ? size : Math.min(Number(last) + 1, size), partial: true };
}

const WITH_ADDRESS: readonly OperationName[] = [
  'ota.upgrade',
  'ota.request',
  'thing.ota.firmware.get',
  'thing.config.get',
  'thing.config.push',
  'thing.model.config.push',
];

/** Whether messages of an operation tell addresses of files. */
export function mayHoldAddress(operation: OperationName | undefined): boolean {
  return operation !== undefined && WITH_ADDRESS.includes(operation);
}

/** A message as it may be logged: whoever knows a signature may fetch the file. */
export function withoutSignatures(payload: string | Uint8Array): string {
  return Buffer.from(payload)
    .toString()
    .replaceAll(/([?&]Signature=)[^&"]+/g, '$1***');
}
