import { OPERATIONS, type OperationName } from '../../protocol';
import { batchPost, eventPost, historyPost, propertyPost } from './reports';
import { alink, type Handler } from './types';

export { type Call, type Handler, type HandlerResult, refusal } from './types';

/** B.1 row 17: the thing model's document; 6321 for a product that has none. */
const thingModelGet = alink((_, { device }) => {
  const model = device.product.thingModel;
  return model === undefined ? { code: 6321 } : { code: 200, data: model.document };
});

/** Pairing and local control of consumer firmware is out of scope; it is content with an empty answer (row 108). */
const CONSUMER_ROW = 108;
const content = alink(() => ({ code: 200 }));

/** The platform's side of each operation that a device starts, by its name in the catalogue. */
export const HANDLERS: ReadonlyMap<OperationName, Handler> = new Map<OperationName, Handler>([
  ...OPERATIONS.filter(({ row, direction }) => row === CONSUMER_ROW && direction === 'up').map(
    ({ name }): [OperationName, Handler] => [name, content],
  ),
  ['thing.event.property.post', propertyPost],
  ['thing.event.property.batch.post', batchPost],
  ['thing.event.property.history.post', historyPost],
  ['thing.event.post', eventPost],
  ['thing.dsltemplate.get', thingModelGet],
]);
