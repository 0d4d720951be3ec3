import { bytesContent, type Content, type DigestMethod } from '../files/content';
import type { ServedFile } from '../files/served-file';
import { UPLOAD_PATH } from '../http/upload-path';
import { DEFAULT_MODULE, type Firmware, type FirmwareSettings } from '../ota/firmware';
import { addFirmware, fileNameOf, type PackageFile } from '../ota/packages';
import { asAction, asActionLater } from './ota-errors';
import { ActionError, type ActionParameters } from './parameters';
import { utcTime } from './times';

const MOST_FILES = 20;
const DIFFERENCE = 1;
/** A file that stands in the address itself: the emulator's own way for those that are small. */
const DATA_URL = /^data:[^,]{0,200};base64,([A-Za-z0-9+/]*={0,2})$/;

/** Where a file can be posted to, and the address that `CreateOTAFirmware` takes for it afterwards. */
function generateUploadUrl(parameters: ActionParameters): object {
  const { platform, origin } = parameters;
  const grant = platform.firmwareUploads.grant(parameters.optional('FileSuffix') ?? 'bin');
  if (grant === undefined) throw invalid('FileSuffix is a suffix of a file name.');
  const host = `${origin}${UPLOAD_PATH}`;
  return {
    Data: {
      Host: host,
      FirmwareUrl: host + grant.Key,
      ObjectStorage: 'OSS',
      UtcCreate: utcTime(platform.clock()),
      ...grant,
    },
  };
}

async function createFirmware(parameters: ActionParameters): Promise<object> {
  const { platform } = parameters;
  const { productKey } = parameters.product();
  const type = parameters.number('Type', 0, { max: 1 });
  const settings: FirmwareSettings = {
    productKey,
    version: parameters.text('DestVersion'),
    module: parameters.optional('ModuleName') ?? DEFAULT_MODULE,
    isDiff: type === DIFFERENCE,
    srcVersion: parameters.optional('SrcVersion'),
    name: parameters.text('FirmwareName').slice(0, 64),
    description: parameters.optional('FirmwareDesc')?.slice(0, 100) ?? '',
    signMethod: digestMethod(parameters),
    udi: parameters.optional('Udi'),
    needsVerification: parameters.optional('NeedToVerify') !== 'false',
  };
  const taken = new Map<string, Content>();
  const firmware = await asActionLater(() =>
    addFirmware(platform, settings, filesOf(parameters, settings, taken)),
  ).catch((thrown: unknown) => {
    for (const [key, content] of taken) platform.firmwareUploads.giveBack(key, content);
    throw thrown;
  });
  return { Data: { FirmwareId: firmware.firmwareId, UtcCreate: utcTime(firmware.createdAt) } };
}

function queryFirmware(parameters: ActionParameters): object {
  const { platform, origin } = parameters;
  const firmware = firmwareOf(parameters);
  const { files, settings } = firmware;
  const { productKey } = settings;
  const addressOf = (file: ServedFile) => platform.files.addressForApplication(origin, productKey, file);
  const [first] = files;
  const several = files.map((file) => ({
    Name: file.name,
    Size: file.content.size,
    SignValue: file.digest,
    ...(settings.signMethod === 'MD5' ? { FileMd5: file.digest } : {}),
    Url: addressOf(file),
  }));
  const tasks = platform.ota.jobs
    .ofFirmware(firmware)
    .filter((job) => job.settings.type === 'VERIFY_FIRMWARE')
    .flatMap((job) => job.tasks);
  const ended = tasks.filter(({ isOpen }) => !isOpen).length;
  return {
    FirmwareInfo: {
      ...describe(parameters, firmware),
      FirmwareUrl: first !== undefined && files.length === 1 ? addressOf(first) : '',
      Udi: settings.udi ?? '',
      VerifyProgress: tasks.length === 0 ? 0 : Math.floor((100 * ended) / tasks.length),
      ...(files.length > 1 ? { MultiFiles: several } : {}),
    },
  };
}

function listFirmware(parameters: ActionParameters): object {
  const productKey = parameters.optional('ProductKey');
  const version = parameters.optional('DestVersion');
  const found = parameters.platform.ota.firmwares
    .list()
    .filter(({ settings }) => productKey === undefined || settings.productKey === productKey)
    .filter(({ settings }) => version === undefined || settings.version === version);
  const { rows, ...paging } = parameters.page(found, { most: 100 });
  return {
    ...paging,
    FirmwareInfo: { SimpleFirmwareInfo: rows.map((firmware) => describe(parameters, firmware)) },
  };
}

function deleteFirmware(parameters: ActionParameters): object {
  const firmware = firmwareOf(parameters);
  asAction(() => parameters.platform.ota.deleteFirmware(firmware));
  return {};
}

/** @throws ActionError when there is none of this id */
export function firmwareOf(parameters: ActionParameters): Firmware {
  const firmware = parameters.platform.ota.firmwares.get(parameters.text('FirmwareId'));
  if (firmware === undefined) {
    throw new ActionError('iot.ota.NotExistedFirmware', 'The firmware package does not exist.');
  }
  return firmware;
}

function describe({ platform }: ActionParameters, firmware: Firmware): object {
  const { settings, files, size, createdAt, changedAt, verification } = firmware;
  const [first] = files;
  return {
    FirmwareId: firmware.firmwareId,
    FirmwareName: settings.name,
    FirmwareDesc: settings.description,
    FirmwareSign: files.length === 1 ? (first?.digest ?? '') : '',
    FirmwareSize: size,
    SignMethod: settings.signMethod,
    ProductKey: settings.productKey,
    ProductName: platform.registry.products.get(settings.productKey)?.name ?? '',
    ModuleName: settings.module,
    DestVersion: settings.version,
    SrcVersion: settings.srcVersion ?? '',
    Type: settings.isDiff ? DIFFERENCE : 0,
    Status: verification,
    UtcCreate: utcTime(createdAt),
    UtcModified: utcTime(changedAt),
  };
}

/** @param taken gets the uploads that it took, by their keys */
function filesOf(
  parameters: ActionParameters,
  settings: FirmwareSettings,
  taken: Map<string, Content>,
): PackageFile[] {
  const single = parameters.optional('FirmwareUrl');
  if (single !== undefined) {
    return [
      {
        name: fileNameOf(settings, 0),
        content: contentOf(parameters, single, taken),
        statedDigest: parameters.optional('FirmwareSign'),
        statedSize: optionalNumber(parameters, 'FirmwareSize'),
      },
    ];
  }
  const files: PackageFile[] = [];
  for (let i = 1; i <= MOST_FILES; i++) {
    const url = parameters.optional(`MultiFiles.${i}.Url`);
    if (url === undefined) break;
    const md5 = settings.signMethod === 'MD5' ? parameters.optional(`MultiFiles.${i}.FileMd5`) : undefined;
    files.push({
      name: parameters.optional(`MultiFiles.${i}.Name`) ?? fileNameOf(settings, i - 1),
      content: contentOf(parameters, url, taken),
      statedDigest: parameters.optional(`MultiFiles.${i}.SignValue`) ?? md5,
      statedSize: optionalNumber(parameters, `MultiFiles.${i}.Size`),
    });
  }
  if (files.length === 0) throw new ActionError('MissingFirmwareUrl', 'FirmwareUrl is mandatory.');
  return files;
}

function contentOf({ platform }: ActionParameters, url: string, taken: Map<string, Content>): Content {
  const [, base64] = DATA_URL.exec(url) ?? [];
  if (base64 !== undefined) return bytesContent(Buffer.from(base64, 'base64'));
  const at = url.indexOf(UPLOAD_PATH);
  const key = at < 0 ? '' : url.slice(at + UPLOAD_PATH.length);
  const content = taken.get(key) ?? platform.firmwareUploads.take(key);
  if (content === undefined) throw invalid('Nothing was uploaded to FirmwareUrl within the last hour.');
  taken.set(key, content);
  return content;
}

function optionalNumber(parameters: ActionParameters, name: string): number | undefined {
  return parameters.optional(name) === undefined ? undefined : parameters.number(name, 0);
}

function digestMethod(parameters: ActionParameters): DigestMethod {
  const method = parameters.optional('SignMethod')?.toUpperCase() ?? 'MD5';
  if (method === 'MD5') return 'MD5';
  if (method === 'SHA256') return 'SHA256';
  throw invalid('SignMethod is MD5 or SHA256.');
}

function invalid(message: string): ActionError {
  return new ActionError('iot.common.InvalidFormattedParameter', message);
}

export const OTA_FIRMWARE_ACTIONS = {
  GenerateOTAUploadURL: generateUploadUrl,
  CreateOTAFirmware: createFirmware,
  QueryOTAFirmware: queryFirmware,
  ListOTAFirmware: listFirmware,
  DeleteOTAFirmware: deleteFirmware,
};
