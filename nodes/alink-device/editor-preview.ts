import { deviceConnect, SESSION_PARAMETERS } from '../../protocol/connect';
import { mqttEndpoint, type Platform, TRANSPORTS, type Transport } from '../../protocol/endpoints';
import { identityProblem, mqttUsername } from '../../protocol/identity';
import { DEFAULT_SIGN_METHOD, parseSignMethod } from '../../protocol/signing';
import type { Dialog } from '../shared/editor/dialog';
import { browserHmac } from '../shared/editor/hmac';
import { text, usesEnvironment } from '../shared/editor/text';
import { MASK, TYPE } from './editor-fields';

const SHOWN = ['address', 'clientId', 'username', 'password'] as const;
type Preview = Partial<Record<(typeof SHOWN)[number], string>> & { notes: string[] };

const WATCHED = [
  'platform',
  'productKey',
  'deviceName',
  'deviceNameFrom',
  'authentication',
  'transport',
  'port',
  'signMethod',
  'clientId',
  'deviceSecret',
];

/**
 * Shows what CONNECT will hold, to compare with any MQTT tool. Computed here, so that no secret leaves
 * the browser for it.
 * @param machineName the name that this machine gives, when the form takes it from there
 */
export function preparePreview(dialog: Dialog, machineName: () => string): () => void {
  const fold = dialog.find<HTMLDetailsElement>('[data-role="preview"]');
  const timestamp = dialog.find<HTMLInputElement>('[data-role="timestamp"]');
  const addresses = new Map<string, Readonly<Record<string, unknown>>>();

  const refresh = () => {
    if (!fold.open) return;
    askAddresses(dialog.value('platform'), addresses, refresh);
    const preview = compute(dialog, machineName(), timestamp.value.trim(), addresses);
    for (const name of SHOWN) {
      const value = preview[name] ?? '';
      dialog.find<HTMLOutputElement>(`[data-preview="${name}"]`).value = value === '' ? '—' : value;
      dialog.find<HTMLButtonElement>(`[data-copy="${name}"]`).disabled = value === '';
    }
    dialog.note('preview', preview.notes.join('\n'));
  };
  const now = () => {
    timestamp.value = String(Date.now());
    refresh();
  };

  dialog.find('[data-action="now"]').addEventListener('click', now);
  timestamp.addEventListener('input', refresh);
  fold.addEventListener('toggle', refresh);
  for (const name of SHOWN) {
    const button = dialog.find(`[data-copy="${name}"]`);
    button.addEventListener('click', () => {
      const { value } = dialog.find<HTMLOutputElement>(`[data-preview="${name}"]`);
      RED.clipboard.copyText(value, $(button));
    });
  }
  now();
  dialog.watch(WATCHED, refresh);
  return refresh;
}

/** Doors of a deployed emulator; asked once per dialog and platform. */
function askAddresses(
  platform: string,
  known: Map<string, Readonly<Record<string, unknown>>>,
  changed: () => void,
): void {
  if (platform === '' || platform === '_ADD_' || known.has(platform)) return;
  known.set(platform, {});
  if (RED.nodes.node(platform)?.kind !== 'emulator') return;
  $.getJSON(`alink-platform/${encodeURIComponent(platform)}/addresses`)
    .done((answer) => {
      if (typeof answer !== 'object' || answer === null) return;
      known.set(platform, answer as Record<string, unknown>);
      changed();
    })
    .fail(() => undefined);
}

function compute(
  dialog: Dialog,
  machineName: string,
  timestamp: string,
  addresses: ReadonlyMap<string, Readonly<Record<string, unknown>>>,
): Preview {
  const notes: string[] = [];
  const productKey = dialog.value('productKey');
  const fromMachine = dialog.value('deviceNameFrom') !== 'text';
  const deviceName = fromMachine ? machineName : dialog.value('deviceName');
  if (usesEnvironment(productKey + deviceName)) return { notes: [text(TYPE, 'preview.environment')] };
  if (identityProblem(productKey) !== undefined || identityProblem(deviceName) !== undefined) {
    return { notes: [text(TYPE, 'preview.identity')] };
  }

  const transport = TRANSPORTS.find((name) => name === dialog.value('transport')) ?? 'tls';
  const platformId = dialog.value('platform');
  const address = addressOf(dialog, platformId, productKey, transport, addresses.get(platformId) ?? {});
  if (address === '') notes.push(text(TYPE, 'preview.noAddress'));
  const identity = { productKey, deviceName };
  const authentication = dialog.value('authentication');
  if (authentication === 'iotToken') {
    return { address, notes: [...notes, text(TYPE, 'preview.iotToken')] };
  }
  if (authentication === 'noPreRegistration') {
    return { address, username: mqttUsername(identity), notes: [...notes, text(TYPE, 'preview.token')] };
  }

  const secret = authentication === 'deviceSecret' ? dialog.value('deviceSecret') : '';
  const known = secret !== '' && secret !== MASK;
  if (authentication !== 'deviceSecret') notes.push(text(TYPE, 'preview.registered'));
  else if (secret === MASK) notes.push(text(TYPE, 'preview.savedSecret'));
  else if (secret === '') notes.push(text(TYPE, 'preview.noSecret'));
  const clientId = dialog.value('clientId');
  const { password, ...fields } = deviceConnect(browserHmac, {
    ...identity,
    deviceSecret: known ? secret : '',
    signMethod: parseSignMethod(dialog.value('signMethod')) ?? DEFAULT_SIGN_METHOD,
    secure: transport === 'tls' || transport === 'wss',
    parameters: SESSION_PARAMETERS,
    ...(clientId === '' ? {} : { clientId }),
    ...(timestamp === '' ? {} : { timestamp }),
  });
  return { address, ...fields, ...(known ? { password } : {}), notes };
}

const EMULATOR_DOORS = { tcp: 'mqtt', tls: 'mqtts', ws: 'ws', wss: 'wss' } as const;

function addressOf(
  dialog: Dialog,
  platformId: string,
  productKey: string,
  transport: Transport,
  doors: Readonly<Record<string, unknown>>,
): string {
  const node = RED.nodes.node(platformId);
  if (!node) return '';
  if (node.kind === 'emulator') {
    // The runtime falls back to plain TCP when a door is closed.
    const door = doors[EMULATOR_DOORS[transport]] ?? doors.mqtt;
    return typeof door === 'string' ? door : '';
  }
  const platform = platformOf(node);
  const port = dialog.value('port') === '' ? undefined : Number(dialog.value('port'));
  if (platform === undefined || Number.isNaN(port)) return '';
  return mqttEndpoint(platform, productKey, transport, port).url;
}

function platformOf(node: EditorNode): Platform | undefined {
  const field = (name: string) => String(node[name] ?? '').trim();
  const region = field('region');
  const port = Number(field('mqttPort'));
  switch (node.kind) {
    case 'public':
      return region === '' ? undefined : { kind: 'public', region };
    case 'instance':
      return field('instanceId') === ''
        ? undefined
        : { kind: 'instance', region, instanceId: field('instanceId') };
    case 'custom': {
      if (field('host') === '') return undefined;
      const ports = port > 0 ? { ports: { tcp: port, tls: port, ws: port, wss: port } } : {};
      return { kind: 'custom', host: field('host'), ...ports };
    }
    default:
      return undefined;
  }
}
