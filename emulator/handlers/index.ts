import { OPERATIONS, type OperationName } from '../../protocol';
import { codecUpdate } from './codec';
import { configGet } from './configuration';
import { desiredDelete, desiredGet } from './desired';
import { fileDownload } from './file-download';
import { uploadCancel, uploadInit, uploadSend } from './files';
import { jobGet, jobUpdate } from './jobs';
import { diagnosisPost, logConfigGet, logPost } from './logs';
import { firmwareGet, otaInform, otaProgress, otaRequest } from './ota';
import { packPost } from './pack';
import { productRegister, subRegister, subUnregister } from './registration';
import { batchPost, eventPost, historyPost, propertyPost } from './reports';
import { shadowUpdate } from './shadow';
import { sessionBatchLogin, sessionBatchLogout, sessionLogin, sessionLogout } from './sub-sessions';
import { reset } from './system';
import { tagsDelete, tagsGet, tagsUpdate } from './tags';
import { dynamicModelGet, thingModelGet } from './thing-model';
import { ntpRequest } from './time';
import { listFound, topoAdd, topoDelete, topoGet } from './topology';
import { alink, type Handler } from './types';

export { refusal, requestId } from './refusal';
export type { Call, Handler, HandlerResult } from './types';

/** Pairing and local control of consumer firmware is out of scope; it is content with an empty answer (row 108). */
const CONSUMER_ROW = 108;
const content = alink(() => ({ code: 200 }));

/** The platform's side of each operation that a device starts, by its name in the catalogue. */
export const HANDLERS: ReadonlyMap<OperationName, Handler> = new Map<OperationName, Handler>([
  ...OPERATIONS.filter(({ row, direction }) => row === CONSUMER_ROW && direction === 'up').map(
    ({ name }): [OperationName, Handler] => [name, content],
  ),
  ['thing.event.property.post', propertyPost],
  ['thing.event.property.pack.post', packPost],
  ['thing.event.property.batch.post', batchPost],
  ['thing.event.property.history.post', historyPost],
  ['thing.event.post', eventPost],
  ['thing.property.desired.get', desiredGet],
  ['thing.property.desired.delete', desiredDelete],
  ['thing.dsltemplate.get', thingModelGet],
  ['thing.dynamicTsl.get', dynamicModelGet],
  ['shadow.update', shadowUpdate],
  ['thing.deviceinfo.update', tagsUpdate],
  ['thing.deviceinfo.delete', tagsDelete],
  ['thing.deviceinfo.get', tagsGet],
  ['thing.config.get', configGet],
  ['thing.config.log.get', logConfigGet],
  ['thing.log.post', logPost],
  ['_thing.diag.post', diagnosisPost],
  ['ext.ntp.request', ntpRequest],
  ['ota.inform', otaInform],
  ['ota.progress', otaProgress],
  ['ota.request', otaRequest],
  ['thing.ota.firmware.get', firmwareGet],
  ['thing.file.download', fileDownload],
  ['thing.file.upload.mqtt.init', uploadInit],
  ['thing.file.upload.mqtt.send', uploadSend],
  ['thing.file.upload.mqtt.cancel', uploadCancel],
  ['thing.job.get', jobGet],
  ['thing.job.update', jobUpdate],
  ['codec.topic.update', codecUpdate],
  ['thing.reset', reset],
  ['session.login', sessionLogin],
  ['session.logout', sessionLogout],
  ['session.batchLogin', sessionBatchLogin],
  ['session.batchLogout', sessionBatchLogout],
  ['thing.topo.add', topoAdd],
  ['thing.topo.delete', topoDelete],
  ['thing.topo.get', topoGet],
  ['thing.list.found', listFound],
  ['thing.sub.register', subRegister],
  ['thing.sub.unregister', subUnregister],
  ['thing.proxy.provisioning.product_register', productRegister],
]);
