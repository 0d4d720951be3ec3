import { alink } from './types';

/** B.8 row 107: whoever owned the device in a consumer app is forgotten; here nobody did. */
export const reset = alink(() => ({ code: 200 }));
