export type { FlowNode } from './flow/canvas';
export { generateFlow } from './flow/generate';
export type { GeneratedFlowOptions } from './flow/options';
export * from './messages';
export { OpcUaPasswordError, type PasswordCipher, passwordCipher } from './opcua-password';
export { type ModbusPlan, type PlanOptions, planModbusDevice } from './plan';
export {
  changedValues,
  type PlannedRead,
  type PlannedValue,
  type PlannedWrite,
  type Reading,
  readValues,
  type ValueKind,
  type WriteRequest,
  writeRequest,
} from './poll';
export { ModelConfigurationError, readModelConfiguration } from './read';
export * from './registers';
export { spokenProblem } from './spoken-problem';
export * from './types';
