import { DEFAULT_MODULE, type FirmwareModule } from '../ota/firmware';
import { asAction } from './ota-errors';
import { ActionError, type ActionParameters } from './parameters';
import { utcTime } from './times';

const LONGEST_ALIAS = 64;
const LONGEST_DESCRIPTION = 100;

function createModule(parameters: ActionParameters): object {
  const { ota, clock } = parameters.platform;
  const { productKey } = parameters.product();
  const name = parameters.text('ModuleName');
  if (name === DEFAULT_MODULE || ota.firmwares.modulesOf(productKey).some((module) => module.name === name)) {
    throw new ActionError('iot.ota.ModuleExists', 'The module exists.');
  }
  const module = asAction(() => ota.firmwares.module(productKey, name, clock()));
  write(parameters, module);
  return {};
}

function updateModule(parameters: ActionParameters): object {
  const module = moduleOf(parameters);
  write(parameters, module);
  module.changedAt = parameters.platform.clock();
  return {};
}

function deleteModule(parameters: ActionParameters): object {
  const { name } = moduleOf(parameters);
  const { productKey } = parameters.product();
  asAction(() => parameters.platform.ota.firmwares.removeModule(productKey, name));
  return {};
}

function listModuleByProduct(parameters: ActionParameters): object {
  const { productKey } = parameters.product();
  const modules = parameters.platform.ota.firmwares.modulesOf(productKey);
  return {
    Data: modules.map(({ name, alias, description, createdAt, changedAt }) => ({
      ProductKey: productKey,
      ModuleName: name,
      AliasName: alias,
      Desc: description,
      GmtCreate: utcTime(createdAt),
      GmtModified: utcTime(changedAt),
    })),
  };
}

function listModuleVersionsByDevice(parameters: ActionParameters): object {
  const { identity, iotId, moduleVersions } = parameters.device();
  const { rows, ...paging } = parameters.page([...moduleVersions], { most: 100 });
  return {
    ...paging,
    Data: {
      SimpleOTAModuleInfo: rows.map(([module, { version }]) => ({
        ProductKey: identity.productKey,
        DeviceName: identity.deviceName,
        IotId: iotId,
        ModuleName: module,
        ModuleVersion: version,
      })),
    },
  };
}

function write(parameters: ActionParameters, module: FirmwareModule): void {
  module.alias = (parameters.optional('AliasName') ?? module.alias).slice(0, LONGEST_ALIAS);
  module.description = (parameters.optional('Desc') ?? module.description).slice(0, LONGEST_DESCRIPTION);
}

function moduleOf(parameters: ActionParameters): FirmwareModule {
  const { productKey } = parameters.product();
  const name = parameters.text('ModuleName');
  const modules = parameters.platform.ota.firmwares.modulesOf(productKey);
  const module = modules.find((candidate) => candidate.name === name);
  if (module === undefined) throw new ActionError('iot.ota.NotExistedModule', 'The module does not exist.');
  return module;
}

export const OTA_MODULE_ACTIONS = {
  CreateOTAModule: createModule,
  UpdateOTAModule: updateModule,
  DeleteOTAModule: deleteModule,
  ListOTAModuleByProduct: listModuleByProduct,
  ListOTAModuleVersionsByDevice: listModuleVersionsByDevice,
};
