import { randomBytes } from 'node:crypto';
import type { Product } from '../registry/product';
import { newSecret } from '../registry/registry';
import { asAction } from './ota-errors';
import { ActionError, type ActionParameters } from './parameters';
import { localTime, utcTime } from './times';

const LONGEST_NAME = 30;
const GATEWAY = 1;
const PASSTHROUGH = 0;

function createProduct(parameters: ActionParameters): object {
  const { registry } = parameters.platform;
  const name = parameters.text('ProductName');
  if (name.length < 4 || name.length > LONGEST_NAME) {
    throw new ActionError('iot.prod.InvalidFormattedProductName', 'The product name has 4 to 30 characters.');
  }
  const product = registry.addProduct({
    productKey: `a1${randomBytes(7).toString('base64url').replaceAll(/[-_]/g, 'x').slice(0, 9)}`,
    name,
    productSecret: newSecret(),
    nodeType: parameters.number('NodeType', 0, { max: 1 }) === GATEWAY ? 'gateway' : 'device',
    dataFormat: parameters.number('DataFormat', 1, { max: 1 }) === PASSTHROUGH ? 'custom' : 'alink',
  });
  return { ProductKey: product.productKey, Data: describe(product) };
}

function queryProduct(parameters: ActionParameters): object {
  const product = parameters.product();
  return {
    Data: {
      ...describe(product),
      DeviceCount: product.devices.size,
      ProductStatus: 'DEVELOPMENT_STATUS',
      Owner: true,
      ValidateType: product.dynamicRegistration ? 1 : 0,
    },
  };
}

function deleteProduct(parameters: ActionParameters): object {
  const product = parameters.product();
  if (product.devices.size > 0) {
    throw new ActionError('iot.prod.ExistedDevice', 'The product still has devices.');
  }
  parameters.platform.setScript(product, '');
  parameters.platform.configurations.forget(product);
  asAction(() => parameters.platform.ota.forgetProduct(product.productKey));
  parameters.platform.registry.products.delete(product.productKey);
  return {};
}

function queryDevice(parameters: ActionParameters): object {
  const product = parameters.product();
  const { rows, ...paging } = parameters.page([...product.devices.values()]);
  const devices = rows.map((device) => ({
    DeviceId: device.iotId,
    IotId: device.iotId,
    DeviceName: device.identity.deviceName,
    ProductKey: product.productKey,
    DeviceSecret: device.deviceSecret ?? '',
    DeviceStatus: device.status,
    DeviceType: 'null',
    Nickname: '',
    GmtCreate: localTime(device.createdAt),
    GmtModified: localTime(device.createdAt),
    UtcCreate: utcTime(device.createdAt),
    UtcModified: utcTime(device.createdAt),
  }));
  return { ...paging, Page: paging.CurrentPage, Data: { DeviceInfo: devices } };
}

function describe(product: Product): object {
  return {
    ProductKey: product.productKey,
    ProductName: product.name,
    ProductSecret: product.productSecret ?? '',
    NodeType: product.nodeType === 'gateway' ? 1 : 0,
    DataFormat: product.dataFormat === 'custom' ? 0 : 1,
    AliyunCommodityCode: 'iothub_senior',
    AuthType: 'secret',
    ProtocolType: '',
    Description: '',
  };
}

export const PRODUCT_ACTIONS = {
  CreateProduct: createProduct,
  QueryProduct: queryProduct,
  DeleteProduct: deleteProduct,
  QueryDevice: queryDevice,
};
