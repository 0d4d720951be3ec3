import {
  checkMembers,
  checkValue,
  coerceMembers,
  coerceValue,
  encodeValue,
  isJsonObject,
  type Json,
  type Problem,
  type ThingModel,
} from '../../protocol';
import type { ThingModelMode } from '../types';
import type { ReadRequest } from './read';

/** The parameters of a request after the thing model has looked at them. */
export interface CheckedInput {
  params: Json;
  /** What no device can work with: the parameters have the wrong shape, or the service does not exist. */
  fatal?: Problem;
  /** Properties that are read-only or not in the thing model. */
  notWritable: readonly Problem[];
  /** Values that break the thing model. */
  wrong: readonly Problem[];
}

/** Fits parameters to the thing model: coerces what is plain, names the rest (section J row 39, I.2). */
export function checkInput(
  { kind, identifier, params }: ReadRequest,
  model: ThingModel | undefined,
  mode: ThingModelMode,
): CheckedInput {
  const nothing: CheckedInput = { params, notWritable: [], wrong: [] };
  const used = mode === 'off' ? undefined : model;
  switch (kind) {
    case 'propertySet':
      return isJsonObject(params) ? setInput(params, used) : { ...nothing, fatal: notObject() };
    case 'propertyGet': {
      const list = Array.isArray(params) && params.every((entry) => typeof entry === 'string');
      // An empty object is how some write "all of them".
      return list || isJsonObject(params) ? nothing : { ...nothing, fatal: notObject() };
    }
    case 'service': {
      if (!isJsonObject(params)) return { ...nothing, fatal: notObject() };
      if (used === undefined || identifier === undefined) return nothing;
      const service = used.services.get(identifier);
      if (service === undefined) {
        return {
          ...nothing,
          wrong: [{ path: identifier, rule: 'unknownIdentifier', code: 460, details: {} }],
        };
      }
      const values = coerceMembers(service.inputData, params);
      return { params: values, notWritable: [], wrong: checkMembers(service.inputData, values, '', true) };
    }
    default:
      return nothing;
  }
}

/** What a device answers, as JSON text with the decimals that the thing model asks for (section J row 41). */
export interface CheckedOutput {
  dataJson: string;
  problems: readonly Problem[];
}

/** Fits the data of an answer to the thing model. */
export function checkOutput(
  { kind, identifier }: Pick<ReadRequest, 'kind' | 'identifier'>,
  data: Json,
  model: ThingModel | undefined,
  mode: ThingModelMode,
): CheckedOutput {
  const plain = { dataJson: JSON.stringify(data), problems: [] };
  if (model === undefined || mode === 'off' || !isJsonObject(data)) return plain;
  if (kind === 'propertyGet') return propertyOutput(data, model);
  const service = kind === 'service' && identifier !== undefined ? model.services.get(identifier) : undefined;
  if (service === undefined) return plain;
  const values = coerceMembers(service.outputData, data);
  return {
    dataJson: encodeValue({ type: 'struct', members: service.outputData }, values),
    problems: checkMembers(service.outputData, values, '', true),
  };
}

function propertyOutput(data: { [identifier: string]: Json }, model: ThingModel): CheckedOutput {
  const problems: Problem[] = [];
  const parts = Object.entries(data).map(([identifier, given]) => {
    const definition = model.properties.get(identifier);
    if (definition === undefined) {
      problems.push({ path: identifier, rule: 'unknownIdentifier', code: 6320, details: {} });
      return `${JSON.stringify(identifier)}:${JSON.stringify(given)}`;
    }
    const value = coerceValue(definition.dataType, given);
    problems.push(...checkValue(definition.dataType, value, identifier));
    return `${JSON.stringify(identifier)}:${encodeValue(definition.dataType, value)}`;
  });
  return { dataJson: `{${parts.join(',')}}`, problems };
}

function setInput(params: { [identifier: string]: Json }, model: ThingModel | undefined): CheckedInput {
  if (model === undefined) return { params, notWritable: [], wrong: [] };
  const notWritable: Problem[] = [];
  const wrong: Problem[] = [];
  const values = Object.entries(params).map(([identifier, given]): [string, Json] => {
    const definition = model.properties.get(identifier);
    if (definition === undefined) {
      notWritable.push({ path: identifier, rule: 'unknownIdentifier', code: 6320, details: {} });
      return [identifier, given];
    }
    if (definition.accessMode === 'r') {
      notWritable.push({ path: identifier, rule: 'readOnly', code: 460, details: {} });
    }
    const value = coerceValue(definition.dataType, given);
    wrong.push(...checkValue(definition.dataType, value, identifier));
    return [identifier, value];
  });
  // fromEntries defines `__proto__` as a member instead of setting the prototype.
  return { params: Object.fromEntries(values), notWritable, wrong };
}

function notObject(): Problem {
  return { path: 'params', rule: 'notObject', code: 460, details: { value: 'params' } };
}
