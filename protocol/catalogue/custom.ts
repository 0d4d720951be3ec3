import { down, optional, required, silent, up } from './build';

const OPAQUE = { purpose: 'custom', format: 'opaque', params: 'free', paramsIn: 'payload' } as const;
/** Consumer platform pairing and local control: only answered, so that old firmware is content (row 108). */
const CONSUMER = { row: 108, purpose: 'system', params: 'free' } as const;

/** Broadcast, user-defined topics, system extras (B.8). */
export const CUSTOM_OPERATIONS = [
  down('broadcast.custom', { ...OPAQUE, row: 100, topic: '/broadcast/{pk}/{topic}' }),
  down('broadcast.request', { ...OPAQUE, row: 101, topic: '/sys/{pk}/{dn}/broadcast/request/{msgId}' }),
  up('user.publish', {
    ...OPAQUE,
    row: 102,
    topic: '/{pk}/{dn}/user/{topic}',
    alternateTopics: ['/{pk}/{dn}/{topic}'],
  }),
  down('user.push', {
    ...OPAQUE,
    row: 102,
    topic: '/{pk}/{dn}/user/{topic}',
    alternateTopics: ['/{pk}/{dn}/{topic}'],
  }),
  up('codec.topic.update', {
    row: 103,
    purpose: 'system',
    topic: 'codec/topic/update',
    params: 'listOfObjects',
    parameters: [
      required('topic', 'text'),
      required('operation', 'text', { values: ['decompress', 'compress'] }),
      optional('format', 'text', { values: ['gzip'], default: 'gzip' }),
    ],
    requestable: true,
  }),
  down('thing.bootstrap.notify', {
    row: 104,
    purpose: 'system',
    topic: 'thing/bootstrap/notify',
    params: 'object',
    parameters: [required('cmd', 'number')],
  }),
  down('thing.bootstrap.config.push', {
    row: 104,
    purpose: 'system',
    topic: 'thing/bootstrap/config/push',
    params: 'object',
    autoSubscribed: 'request',
  }),
  silent(
    down('ext.auth.identity', {
      row: 105,
      purpose: 'system',
      topic: '/ext/auth/identity/response',
      format: 'json',
      params: 'object',
      paramsIn: 'payload',
    }),
  ),
  down('ext.register', {
    row: 106,
    purpose: 'system',
    topic: '/ext/register',
    alternateTopics: ['/ext/regnwl'],
    format: 'json',
    params: 'object',
    paramsIn: 'payload',
  }),
  up('thing.reset', {
    row: 107,
    purpose: 'system',
    topic: 'thing/reset',
    params: 'none',
    requestable: true,
    autoSubscribed: 'reply',
  }),
  up('thing.lan.prefix.get', { ...CONSUMER, topic: 'thing/lan/prefix/get', autoSubscribed: 'reply' }),
  up('thing.lan.prefix.update', { ...CONSUMER, topic: 'thing/lan/prefix/update', autoSubscribed: 'reply' }),
  up('thing.lan.blacklist.update', {
    ...CONSUMER,
    topic: 'thing/lan/blacklist/update',
    autoSubscribed: 'reply',
  }),
  up('thing.awss.enrollee.match', {
    ...CONSUMER,
    topic: 'thing/awss/enrollee/match',
    autoSubscribed: 'reply',
  }),
  up('thing.awss.enrollee.checkin', {
    ...CONSUMER,
    topic: 'thing/awss/enrollee/checkin',
    autoSubscribed: 'reply',
  }),
  up('thing.awss.enrollee.found', {
    ...CONSUMER,
    topic: 'thing/awss/enrollee/found',
    autoSubscribed: 'reply',
  }),
  up('thing.awss.device.switchap', {
    ...CONSUMER,
    topic: 'thing/awss/device/switchap',
    autoSubscribed: 'reply',
  }),
  up('thing.cipher.get', { ...CONSUMER, topic: 'thing/cipher/get', autoSubscribed: 'reply' }),
  down('_thing.event.notify', { ...CONSUMER, topic: '_thing/event/notify', autoSubscribed: 'request' }),
  up('_thing.service.post', { ...CONSUMER, topic: '_thing/service/post', autoSubscribed: 'reply' }),
] as const;
