import { sharedText } from './text';
import { validator } from './validate';

/** Name of a module; blank is allowed. */
export const validModule = validator((value) =>
  value.length <= 64 && !/\p{C}/u.test(value) ? undefined : sharedText('validate.module'),
);
