import { type Json, parseThingModel, type ThingModel, ThingModelError } from '../../protocol';
import { ActionError, type ActionParameters } from './parameters';

/** Becomes the draft; devices see it when it is published. */
function importThingModelTsl(parameters: ActionParameters): object {
  const product = parameters.product();
  product.draftModel = read(parameters.json('TslStr'));
  return {};
}

function publishThingModel(parameters: ActionParameters): object {
  const product = parameters.product();
  if (product.draftModel !== undefined) product.thingModel = product.draftModel;
  product.draftModel = undefined;
  return {};
}

function getThingModelTsl(parameters: ActionParameters): object {
  return { Data: { TslStr: JSON.stringify(draftOf(parameters).document) } };
}

function getThingModelTslPublished(parameters: ActionParameters): object {
  return { Data: { TslStr: JSON.stringify(modelOf(parameters.product().thingModel).document) } };
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
  return new ActionError('iot.common.InvalidParameter', message);
}

export const THING_MODEL_ACTIONS = {
  ImportThingModelTsl: importThingModelTsl,
  PublishThingModel: publishThingModel,
  GetThingModelTsl: getThingModelTsl,
  GetThingModelTslPublished: getThingModelTslPublished,
};
