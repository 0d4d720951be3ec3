import { down, optional, required, up } from './build';

const OTA = { purpose: 'ota', format: 'json', params: 'object' } as const;
const UPLOAD_CODES = [78117, 78118, 78119, 78120, 78121, 78122, 78123, 78124, 78125, 78126, 78127];

/** OTA, files, jobs (B.6). */
export const OTA_OPERATIONS = [
  up('ota.inform', {
    ...OTA,
    row: 80,
    topic: '/ota/device/inform/{pk}/{dn}',
    parameters: [required('version', 'text'), optional('module', 'text')],
  }),
  down('ota.upgrade', {
    ...OTA,
    row: 81,
    topic: '/ota/device/upgrade/{pk}/{dn}',
    paramsIn: 'data',
    autoSubscribed: 'request',
  }),
  up('ota.progress', {
    ...OTA,
    row: 82,
    topic: '/ota/device/progress/{pk}/{dn}',
    parameters: [required('step', 'text'), optional('desc', 'text'), optional('module', 'text')],
  }),
  up('ota.request', {
    ...OTA,
    row: 83,
    topic: '/ota/device/request/{pk}/{dn}',
    replyTopic: '/ota/device/request/{pk}/{dn}',
    alternateReplyTopics: ['/ota/device/upgrade/{pk}/{dn}'],
    parameters: [required('version', 'text')],
    codes: [429, 9112, 500],
    autoSubscribed: 'reply',
  }),
  up('thing.ota.firmware.get', {
    row: 84,
    purpose: 'ota',
    topic: 'thing/ota/firmware/get',
    params: 'object',
    parameters: [optional('module', 'text')],
    // Not named by A.9; C SDK 4 waits for it without a subscription.
    autoSubscribed: 'reply',
  }),
  up('thing.file.download', {
    row: 85,
    purpose: 'file',
    topic: 'thing/file/download',
    params: 'object',
    parameters: [
      required('fileToken', 'text'),
      required('fileInfo', 'object'),
      required('fileBlock', 'object'),
    ],
  }),
  up('thing.file.upload.mqtt.init', {
    row: 86,
    purpose: 'file',
    topic: 'thing/file/upload/mqtt/init',
    params: 'object',
    parameters: [
      required('fileName', 'text'),
      required('fileSize', 'number'),
      optional('conflictStrategy', 'text', {
        values: ['overwrite', 'append', 'reject'],
        default: 'overwrite',
      }),
      optional('ficMode', 'text', { values: ['crc64'] }),
      optional('ficValue', 'text'),
      optional('initUid', 'text'),
      optional('extraParams', 'object'),
    ],
    limits: { fileBytes: 16 * 1024 * 1024 },
    codes: UPLOAD_CODES,
    requestable: true,
  }),
  up('thing.file.upload.mqtt.send', {
    row: 87,
    purpose: 'file',
    topic: 'thing/file/upload/mqtt/send',
    replyTopic: '/sys/{pk}/{dn}/thing/file/upload/mqtt/send_reply',
    format: 'frame',
    params: 'object',
    parameters: [
      required('uploadId', 'text'),
      required('offset', 'number'),
      required('bSize', 'number'),
      optional('isComplete', 'boolean'),
    ],
    limits: { blockBytesMin: 256, blockBytesMax: 128 * 1024 },
    codes: UPLOAD_CODES,
  }),
  up('thing.file.upload.mqtt.cancel', {
    row: 88,
    purpose: 'file',
    topic: 'thing/file/upload/mqtt/cancel',
    params: 'object',
    parameters: [required('uploadId', 'text')],
    codes: UPLOAD_CODES,
    requestable: true,
  }),
  down('thing.job.notify', {
    row: 89,
    purpose: 'job',
    topic: 'thing/job/notify',
    params: 'object',
    parameters: [required('task', 'object')],
    autoSubscribed: 'request',
  }),
  up('thing.job.get', {
    row: 90,
    purpose: 'job',
    topic: 'thing/job/get',
    params: 'object',
    parameters: [required('taskId', 'text', { default: '$next' })],
    requestable: true,
    autoSubscribed: 'reply',
  }),
  up('thing.job.update', {
    row: 91,
    purpose: 'job',
    topic: 'thing/job/update',
    params: 'object',
    parameters: [
      required('taskId', 'text'),
      required('status', 'text', { values: ['IN_PROGRESS', 'SUCCEEDED', 'FAILED', 'REJECTED'] }),
      optional('progress', 'number'),
      optional('statusDetails', 'object'),
    ],
    requestable: true,
    autoSubscribed: 'reply',
  }),
] as const;
