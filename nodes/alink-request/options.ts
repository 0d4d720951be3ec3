import { OPERATIONS, type Operation, type Parameter, type Purpose } from '../../protocol/catalogue';

/** A field of the form: a parameter of the catalogue, or the bytes of a file, which travel in blocks of their own. */
export interface Field extends Omit<Parameter, 'type'> {
  type: Parameter['type'] | 'bytes';
}

/** Operations that the node offers. */
export const OFFERED: readonly Operation[] = OPERATIONS.filter(({ requestable }) => requestable);

export const DEFAULT_OPERATION = 'thing.deviceinfo.update';

type PushOperation = 'shadow.control' | 'thing.job.notify' | 'thing.config.log.push';

const PUSHES: Readonly<Partial<Record<Purpose, PushOperation>>> = {
  shadow: 'shadow.control',
  job: 'thing.job.notify',
  log: 'thing.config.log.push',
};

/** What the platform pushes of its own accord in an operation's group. */
export function pushOf({ purpose }: Operation): PushOperation | undefined {
  return PUSHES[purpose];
}

export function offered(name: string): Operation | undefined {
  return OFFERED.find((operation) => operation.name === name);
}

/** Filled in by the node when neither form nor message gives them. */
export const AUTOMATIC: ReadonlySet<string> = new Set(['utcTime']);

/** Known to the SDK better than to any flow, so there is no field for them. */
const COMPUTED: ReadonlySet<string> = new Set([
  'deviceSendTime',
  'fileSize',
  'ficMode',
  'ficValue',
  'initUid',
]);

export const UPLOAD = 'thing.file.upload.mqtt.init';

/** What an upload sends besides the parameters of its first message. */
export const CONTENT: Field = { name: 'content', type: 'bytes', required: true, default: 'payload' };

/** Name of an entry where the protocol gives it none: an item of a list of texts, a key of a map. */
export const ENTRY_NAME: Field = { name: 'identifier', type: 'text', required: true };

/** Fields of one entry of the form. */
export function entryFields({ name, params, parameters }: Operation): readonly Field[] {
  if (params === 'listOfTexts') return [ENTRY_NAME];
  const fields = parameters.filter((parameter) => !COMPUTED.has(parameter.name));
  if (name === UPLOAD) return [CONTENT, ...fields];
  return params === 'map' ? [ENTRY_NAME, ...fields] : fields;
}

/** Whether parameters may come with the message: there are some, and the payload is not the file itself. */
export function takesPayload(operation: Operation): boolean {
  return operation.name !== UPLOAD && entryFields(operation).length > 0;
}

/** Whether the form may have any number of entries. */
export function hasManyEntries({ params }: Operation): boolean {
  return params === 'listOfTexts' || params === 'listOfObjects' || params === 'map';
}

/** Key of an operation in the locales, where dots separate. */
export function localeKey(name: string): string {
  return name.replaceAll('.', '_');
}
