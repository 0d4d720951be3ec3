export { decodeRegisters } from './decode';
export { encodeRegisters } from './encode';
export {
  type RegisterData,
  RegisterError,
  type RegisterFormat,
  type RegisterProblem,
  type RegisterType,
  type RegisterValue,
  registersOf,
} from './types';
