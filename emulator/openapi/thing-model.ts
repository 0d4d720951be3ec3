import { isJsonObject, type Json, parseThingModel, type ThingModel, ThingModelError } from '../../protocol';
import { ActionError, type ActionParameters } from './parameters';
import { fromApiModel, toApiModel } from './thing-model-json';

/** Becomes the draft; devices see it when it is published. */
function importThingModelTsl(parameters: ActionParameters): object {
  const product = parameters.product();
  refuseModule(parameters);
  product.draftModel = read(parameters.json('TslStr'));
  return {};
}

/** Adds features to the draft; one of the same identifier is replaced. */
function createThingModel(parameters: ActionParameters): object {
  const product = parameters.product();
  refuseModule(parameters);
  const given = parameters.json('ThingModelJson');
  if (!isJsonObject(given)) throw invalid('ThingModelJson must be an object.');
  const before = (product.draftModel ?? product.thingModel)?.document;
  product.draftModel = read(fromApiModel(product.productKey, given, before));
  return {};
}

function publishThingModel(parameters: ActionParameters): object {
  const product = parameters.product();
  if (product.draftModel !== undefined) product.thingModel = product.draftModel;
  product.draftModel = undefined;
  return {};
}

function queryThingModel(parameters: ActionParameters): object {
  const product = parameters.product();
  const { document } = draftOf(parameters);
  return {
    ProductKey: product.productKey,
    Data: { ThingModelJson: JSON.stringify(toApiModel(product.productKey, document)) },
  };
}

function getThingModelTsl(parameters: ActionParameters): object {
  return { Data: { TslStr: JSON.stringify(draftOf(parameters).document) } };
}

function getThingModelTslPublished(parameters: ActionParameters): object {
  return { Data: { TslStr: JSON.stringify(modelOf(parameters.product().thingModel).document) } };
}

// A feature of a module must not end as one of the product itself.
function refuseModule(parameters: ActionParameters): void {
  if (parameters.optional('FunctionBlockId') === undefined) return;
  throw invalid(
    'Modules are written here with the whole thing model only (ImportThingModelTsl without FunctionBlockId).',
  );
}

function draftOf(parameters: ActionParameters): ThingModel {
  const { draftModel, thingModel } = parameters.product();
  return modelOf(draftModel ?? thingModel);
}

function modelOf(model: ThingModel | undefined): ThingModel {
  if (model === undefined) {
    throw new ActionError('iot.thingmodel.NotExistedThingModel', 'The product has no thing model.');
  }
  return model;
}

function read(document: Json): ThingModel {
  try {
    return parseThingModel(document);
  } catch (thrown) {
    if (!(thrown instanceof ThingModelError)) throw thrown;
    throw invalid(`The thing model cannot be read: ${thrown.message}.`);
  }
}

function invalid(message: string): ActionError {
  return new ActionError('iot.common.InvalidFormattedParameter', message);
}

export const THING_MODEL_ACTIONS = {
  ImportThingModelTsl: importThingModelTsl,
  CreateThingModel: createThingModel,
  UpdateThingModel: createThingModel,
  PublishThingModel: publishThingModel,
  QueryThingModel: queryThingModel,
  GetThingModelTsl: getThingModelTsl,
  GetThingModelTslPublished: getThingModelTslPublished,
};
