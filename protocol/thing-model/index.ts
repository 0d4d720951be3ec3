export { checkMembers, checkValue } from './check';
export { coerceMembers, coerceValue } from './coerce';
export {
  type EncodedReport,
  encodeEventReport,
  encodePack,
  encodePackedEvent,
  encodePackedProperty,
  encodePropertyReport,
  encodeValue,
  type PackShare,
} from './encode';
export { type JsonResult, toJson } from './json-value';
export { parseThingModel, ThingModelError } from './parse';
export { problemMessage } from './problem-message';
export {
  type EventReport,
  type PropertyReport,
  type ReportOptions,
  readEventReport,
  readPropertyReport,
} from './report';
export * from './types';
