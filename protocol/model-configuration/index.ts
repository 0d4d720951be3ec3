export { OpcUaPasswordError, type PasswordCipher, passwordCipher } from './opcua-password';
export { type ModbusPlan, type PlanOptions, planModbusDevice } from './plan';
export * from './poll';
export { ModelConfigurationError, readModelConfiguration } from './read';
export * from './registers';
export * from './types';
