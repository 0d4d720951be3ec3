// `node --import tsx scripts/docs.mjs`: writes docs/operations.md from the catalogue of operations; `--print` only
// prints the page, for the test that it is current.
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import handlers from '../emulator/handlers/index.ts';
import catalogue from '../protocol/catalogue/index.ts';
import dispatcher from '../sdk/report/dispatcher.ts';

/** @typedef {import('../protocol/catalogue/types.ts').Operation} Operation */

const PAGE = join(dirname(fileURLToPath(import.meta.url)), '..', 'docs', 'operations.md');

/** Titles of the groups, in the order of the page. @type {Record<Operation['purpose'], string>} */
const TITLES = {
  property: 'Properties',
  event: 'Events',
  service: 'Services',
  raw: 'Passthrough (raw) data',
  desired: 'Desired values',
  thingModel: 'Thing model',
  shadow: 'Device shadow',
  tag: 'Tags',
  config: 'Remote configuration',
  log: 'Logs',
  diagnosis: 'Diagnosis',
  time: 'Time',
  topology: 'Topology and registration of sub-devices',
  session: 'Sessions of sub-devices',
  ota: 'Firmware (OTA)',
  file: 'Files',
  job: 'Jobs',
  custom: 'Custom topics',
  system: 'System',
};

const HEAD = `# Operations of the Alink protocol

<!-- Written by scripts/docs.mjs from protocol/catalogue; a test fails when the two differ. -->

Every operation that the catalogue (\`protocol/catalogue/\`) knows. The SDK builds requests from it, the emulator routes
messages by it, the dialogs and this page list it.

- **Up** is started by the device, **down** by the platform. \`{pk}\` and \`{dn}\` stand for ProductKey and DeviceName.
- The answer comes on the request's topic with \`_reply\` behind it, unless another topic or *none* stands there.
- **SDK**: \`post\` is sent by \`postProperties\` or \`postEvent\`, \`raw\` by \`sendRaw\`, \`upload\` by \`uploadFile\`;
  \`request\` can be sent by \`request(name, params)\` of the [SDK](sdk.md). Where none stands, the SDK does not send it.
- **Emulator**: ✓ where the [emulator](emulator.md) carries it out. It logs and drops the other requests of a device, and
  it starts none of the platform's by itself.
- **Codes** are those that a source names for the operation, besides 200; 429, 460 and 500 can come from any.
`;

/** What the SDK sends through doors of their own. */
const DOORS = new Map([
  ['thing.event.property.post', 'post'],
  ['thing.event.property.batch.post', 'post'],
  ['thing.event.post', 'post'],
  ['thing.model.up_raw', 'raw'],
  ['thing.file.upload.mqtt.send', 'upload'],
]);

/** @returns {string} */
function operationsPage() {
  const { OPERATIONS } = catalogue;
  const groups = Object.entries(TITLES).map(([purpose, title]) => {
    const rows = OPERATIONS.filter((operation) => operation.purpose === purpose).map(row);
    return rows.length === 0 ? '' : `\n## ${title}\n\n${TABLE}${rows.join('\n')}\n`;
  });
  return `${HEAD}${groups.join('')}`;
}

const TABLE = `| Operation | | Topic | Answer | QoS | Parameters | SDK | Emulator | Codes |
|---|---|---|---|---|---|---|---|---|
`;

/** @param {Operation} operation */
function row(operation) {
  const { name, direction, topic, qos, gatewayOnly, codes } = operation;
  const cells = [
    `\`${name}\`${gatewayOnly ? ' (gateway)' : ''}`,
    direction,
    topics([topic, ...(operation.alternateTopics ?? [])]),
    answer(operation),
    String(qos),
    parameters(operation),
    DOORS.get(name) ?? (isAnswerable(name) ? 'request' : ''),
    handlers.HANDLERS.has(/** @type {never} */ (name)) ? '✓' : '',
    codes.length > 6 ? `${codes.slice(0, 6).join(', ')}, … (${codes.length})` : codes.join(', '),
  ];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

/** Whether `Device.request` takes it. @param {string} name */
function isAnswerable(name) {
  try {
    dispatcher.assertAnswerable(name);
    return true;
  } catch {
    return false;
  }
}

/** @param {Operation} operation */
function answer({ topic, replyTopic, alternateReplyTopics = [] }) {
  if (replyTopic === undefined) return '*none*';
  if (replyTopic === topic) return '*same topic*';
  if (replyTopic === `${topic}_reply` && alternateReplyTopics.length === 0) return '`…_reply`';
  return topics([replyTopic, ...alternateReplyTopics]);
}

/** @param {readonly string[]} list */
function topics(list) {
  return list.map((topic) => `\`${topic}\``).join('<br>');
}

const SHAPES = {
  object: '',
  listOfObjects: 'list of objects',
  listOfTexts: 'list of texts',
  map: 'by identifier',
  free: 'free',
  none: '–',
};

/** @param {Operation} operation */
function parameters({ params, parameters: list }) {
  const names = list.map(({ name, required }) => `\`${name}\`${required ? '' : '?'}`).join(', ');
  return [SHAPES[params], names].filter((text) => text !== '').join(': ');
}

if (process.argv.includes('--print')) process.stdout.write(operationsPage());
else {
  writeFileSync(PAGE, operationsPage());
  console.log('docs: operations.md is written');
}
