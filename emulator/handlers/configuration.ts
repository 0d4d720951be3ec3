import { isJsonObject } from '../../protocol';
import { alink } from './types';

/** B.3 row 33: 6710 when none is stored for the product, 6713 when it is switched off. */
export const configGet = alink(({ params }, { device, platform }) => {
  const { configScope = 'product', getType = 'file' } = isJsonObject(params) ? params : {};
  if (configScope !== 'product' || getType !== 'file') {
    return { code: 460, note: 'configScope is product and getType is file' };
  }
  const found = platform.configurations.describe(device);
  return typeof found === 'number' ? { code: found } : { code: 200, data: found };
});
