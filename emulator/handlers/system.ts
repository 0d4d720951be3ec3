import { alink } from './types';

/** B.8 row 103: nothing is compressed here, so a device that asks for it is told to go on in the clear. */
export const codecUpdate = alink(() => ({ code: 460, note: 'this emulator compresses nothing' }));

/** B.8 row 107: whoever owned the device in a consumer app is forgotten; here nobody did. */
export const reset = alink(() => ({ code: 200 }));
