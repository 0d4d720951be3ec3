export type { FlowNode } from './flow/canvas';
export { type GeneratedFlowOptions, generateFlow } from './flow/generate';
export * from './messages';
export { OpcUaPasswordError, type PasswordCipher, passwordCipher } from './opcua-password';
export { type ModbusPlan, type PlanOptions, planModbusDevice } from './plan';
export * from './poll';
export { ModelConfigurationError, readModelConfiguration } from './read';
export * from './registers';
export * from './types';
