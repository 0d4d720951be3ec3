import { isJsonObject } from '../../protocol';
import { alink } from './types';

/** B.3 row 33: no remote configuration is stored for any product (6710). */
export const configGet = alink(({ params }) => {
  const { configScope = 'product', getType = 'file' } = isJsonObject(params) ? params : {};
  if (configScope !== 'product' || getType !== 'file') {
    return { code: 460, note: 'configScope is product and getType is file' };
  }
  return { code: 6710 };
});
