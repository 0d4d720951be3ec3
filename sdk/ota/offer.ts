import { isJsonObject, type Json, type JsonObject, parseJson } from '../../protocol';
import { failure } from './failure';
import { distinctNames, madeUpName, safeName } from './names';
import {
  DEFAULT_MODULE,
  type FailureStep,
  type FirmwareDigest,
  type FirmwareFile,
  type FirmwareOffer,
} from './types';

const MOST_FILES = 100;
const LONGEST_NAME = 64;
const LONGEST_URL = 8192;
const LONGEST_EXTRA = 64 * 1024;
const LONGEST_SIGNATURE = 4096;
/** A terabyte: far beyond the platform's limit (section D), far below where numbers get wrong. */
const LARGEST_FILE = 2 ** 40;
const HEX: Readonly<Record<FirmwareDigest['method'], RegExp>> = {
  md5: /^[0-9a-f]{32}$/,
  sha256: /^[0-9a-f]{64}$/,
};
const CONTROL = /\p{C}/u;

/**
 * Reads `data` of an offer, whichever way it came (B.6 rows 81, 83, 84; G.2): tolerant of the forms that sources show,
 * strict about everything that is used.
 * @returns undefined for `{}`, which means that there is none
 * @throws AlinkError `firmwareOffer` with `details.step`, and `details.module` as far as it is known
 */
export function readOffer(
  data: Json | undefined,
  source: FirmwareOffer['source'],
  receivedAt: number,
): FirmwareOffer | undefined {
  if (data === undefined || data === null || data === '') return undefined;
  if (!isJsonObject(data)) throw unusable(DEFAULT_MODULE, -1, 'firmwareData', 'data is not an object');
  if (Object.keys(data).length === 0) return undefined;
  const module = readModule(data.module);
  const { version } = data;
  if (typeof version !== 'string' || !isName(version)) {
    throw unusable(module, -1, 'firmwareVersion', `version is not a text of 1–${LONGEST_NAME} characters`);
  }
  const extData = readExtData(data.extData);
  const { digestsign } = data;
  return {
    version,
    module,
    isDiff: data.isDiff === true || data.isDiff === 1 || data.isDiff === '1',
    files: readFiles(data, module, version),
    ...(extData === undefined ? {} : { extData }),
    ...(typeof digestsign === 'string' && digestsign !== '' && digestsign.length <= LONGEST_SIGNATURE
      ? { digestSign: digestsign }
      : {}),
    source,
    receivedAt,
  };
}

/** Whether a text can be the name of a module or version. */
export function isName(value: string): boolean {
  return value !== '' && value.length <= LONGEST_NAME && value === value.trim() && !CONTROL.test(value);
}

/** Whether two offers are of the same content, wherever it lies. */
export function sameContent(a: FirmwareOffer, b: FirmwareOffer): boolean {
  if (a.version !== b.version || a.module !== b.module || a.files.length !== b.files.length) return false;
  return a.files.every((file, i) => {
    const other = b.files[i];
    return (
      other !== undefined &&
      file.name === other.name &&
      file.size === other.size &&
      file.digest.method === other.digest.method &&
      file.digest.value === other.digest.value
    );
  });
}

function readModule(value: Json | undefined): string {
  if (value === undefined || value === null || value === '') return DEFAULT_MODULE;
  if (typeof value === 'string' && isName(value)) return value;
  throw unusable(
    DEFAULT_MODULE,
    -1,
    'firmwareModule',
    `module is not a text of 1–${LONGEST_NAME} characters`,
  );
}

function readFiles(data: JsonObject, module: string, version: string): FirmwareFile[] {
  const { files } = data;
  const several = Array.isArray(files) && files.length > 0;
  if (files !== undefined && files !== null && !Array.isArray(files)) {
    throw unusable(module, -1, 'firmwareFiles', 'files is not a list');
  }
  if (several && files.length > MOST_FILES) {
    const values = { value: files.length, limit: MOST_FILES };
    const reason = `it has ${values.value} files, at most ${values.limit} are taken`;
    throw unusable(module, -1, 'firmwareManyFiles', reason, values);
  }
  const forms = several ? files.map((file) => severalForm(file, data)) : [singleForm(data)];
  const read = forms.map((form, i) => readFile(form, module, version, several ? `files[${i}]` : 'file'));
  const names = distinctNames(read.map(({ name }) => name));
  return read.map((file, i) => ({ ...file, name: names[i] ?? file.name }));
}

/** A file in either form. */
interface FileForm {
  name: Json | undefined;
  size: Json | undefined;
  url: Json | undefined;
  md5: Json | undefined;
  sign: Json | undefined;
  signMethod: Json | undefined;
  streamId: Json | undefined;
  streamFileId: Json | undefined;
  overMqtt: boolean;
}

function singleForm(data: JsonObject): FileForm {
  const { fileName, size, url, md5, sign, signMethod, streamId, streamFileId } = data;
  return {
    name: fileName,
    size,
    url,
    md5,
    sign,
    signMethod,
    streamId,
    streamFileId,
    overMqtt: isMqtt(data.dProtocol),
  };
}

function severalForm(file: Json, data: JsonObject): FileForm {
  const own: JsonObject = isJsonObject(file) ? file : {};
  return {
    name: own.fileName,
    size: own.fileSize ?? own.size,
    url: own.fileUrl ?? own.url,
    md5: own.fileMd5 ?? own.md5,
    sign: own.fileSign ?? own.sign,
    signMethod: own.signMethod ?? data.signMethod,
    streamId: own.streamId ?? data.streamId,
    streamFileId: own.streamFileId,
    overMqtt: isMqtt(own.dProtocol ?? data.dProtocol),
  };
}

function readFile(form: FileForm, module: string, version: string, which: string): FirmwareFile {
  const refuse = (step: FailureStep, rule: string, reason: string) =>
    unusable(module, step, rule, `${which}: ${reason}`, { which });
  const size = wholeNumber(form.size);
  if (size === undefined || size < 1 || size > LARGEST_FILE)
    throw refuse(-2, 'firmwareSize', 'the size is no number of bytes');
  const stream = readStream(form);
  const url = form.overMqtt && stream ? undefined : readUrl(form.url);
  if (url === undefined && stream === undefined) {
    throw form.overMqtt
      ? refuse(-2, 'firmwareStream', 'streamId or streamFileId is missing')
      : refuse(-2, 'firmwareUrl', 'the address cannot be used');
  }
  const digest = readDigest(form);
  if (digest === undefined) throw refuse(-3, 'firmwareDigest', 'there is no digest that could be checked');
  const given = typeof form.name === 'string' ? safeName(form.name) : undefined;
  return {
    name: given ?? madeUpName(module, version, url),
    size,
    digest,
    ...(url === undefined ? {} : { url }),
    ...(url !== undefined || stream === undefined ? {} : { stream }),
  };
}

function readStream({ streamId, streamFileId }: FileForm): FirmwareFile['stream'] | undefined {
  const stream = wholeNumber(streamId);
  const fileId = wholeNumber(streamFileId);
  return stream === undefined || fileId === undefined ? undefined : { streamId: stream, fileId };
}

function readUrl(value: Json | undefined): string | undefined {
  if (typeof value !== 'string' || value.length > LONGEST_URL || !/^https?:\/\/[!-~]+$/i.test(value)) return;
  if (!URL.canParse(value)) return;
  const { hostname, username, password } = new URL(value);
  return hostname === '' || username !== '' || password !== '' ? undefined : value;
}

// MD5 is kept for old devices beside other methods; it counts only where no better one is named (J row 34).
function readDigest({ md5, sign, signMethod }: FileForm): FirmwareDigest | undefined {
  const name = typeof signMethod === 'string' ? signMethod.toLowerCase().replaceAll('-', '').trim() : '';
  if (name === 'sha256') return digestOf('sha256', sign);
  if (name === 'md5') return digestOf('md5', sign) ?? digestOf('md5', md5);
  return (
    digestOf('md5', md5) ?? (name === '' ? (digestOf('sha256', sign) ?? digestOf('md5', sign)) : undefined)
  );
}

function digestOf(method: FirmwareDigest['method'], value: Json | undefined): FirmwareDigest | undefined {
  const hex = typeof value === 'string' ? value.trim().toLowerCase() : '';
  return HEX[method].test(hex) ? { method, value: hex } : undefined;
}

// It is extra: what cannot be read is left out, and the firmware comes all the same.
function readExtData(value: Json | undefined): JsonObject | undefined {
  const read = objectOf(value);
  if (read === undefined || JSON.stringify(read).length > LONGEST_EXTRA) return undefined;
  const own = objectOf(read['_package_udi']);
  return own === undefined ? read : { ...read, _package_udi: own };
}

function objectOf(value: Json | undefined): JsonObject | undefined {
  if (isJsonObject(value)) return value;
  if (typeof value !== 'string' || value.length > LONGEST_EXTRA) return undefined;
  try {
    const read = parseJson(value);
    return isJsonObject(read) ? read : undefined;
  } catch {
    return undefined; // text of the user's own
  }
}

function isMqtt(value: Json | undefined): boolean {
  return typeof value === 'string' && value.toLowerCase() === 'mqtt';
}

function wholeNumber(value: Json | undefined): number | undefined {
  const number = typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}

/** @param rule which reason it is, for whoever says it in another language */
function unusable(
  module: string,
  step: FailureStep,
  rule: string,
  reason: string,
  values: Readonly<Record<string, string | number>> = {},
) {
  return failure('firmwareOffer', step, reason, { details: { ...values, module, rule } });
}
