#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { ConfigError } from './config-reader';
import { DoorError } from './doors';
import { startEmulator } from './emulator';
import { DOORS, type Door } from './options';
import { SnapshotError } from './snapshot';

const HELP = `alink-emulator: an emulator of Alibaba Cloud IoT Platform for devices that speak Alink

  --config FILE       products, devices and access keys, as JSON
  --host ADDRESS      where to listen; 127.0.0.1 by default
  --mqtt-port N       MQTT over TCP; 0 takes any free port
  --mqtts-port N      MQTT over TLS
  --ws-port N         MQTT over WebSocket
  --wss-port N        MQTT over secure WebSocket
  --http-port N       authentication, registration, OpenAPI, fault panel (/emulator/)
  --https-port N      the same over TLS
  --tls-key FILE      key and certificate of the TLS doors, PEM; without them one is made at the start
  --tls-cert FILE
  --ca-out FILE       where to write the root certificate of a certificate that was made
  --auto-provision    whoever presents an unknown identity gets a device of that name
  --snapshot FILE     keep devices, their latest values, the topology and firmware over a restart
  --quiet             no log on standard error
  --help

Without any port option MQTT and HTTP open on free ports. When ready, one line of JSON on standard output tells the
addresses. Exit codes: 1 a port cannot be opened, 2 wrong options or configuration.
`;

/** Wrong use of the command. */
class UsageError extends Error {}

const PORT_OPTIONS = Object.fromEntries(DOORS.map((door) => [`${door}-port`, { type: 'string' as const }]));

async function run(): Promise<void> {
  const values = readOptions();
  if (values.help === true) {
    process.stdout.write(HELP);
    return;
  }
  const log = (line: string) => process.stderr.write(`${new Date().toISOString()} ${line}\n`);
  const doors = readDoors(values);
  const [key, cert] = [text(values['tls-key']), text(values['tls-cert'])];
  if ((key === undefined) !== (cert === undefined))
    throw new UsageError('--tls-key and --tls-cert go together');
  const config = text(values.config);
  const snapshotFile = text(values.snapshot);
  const emulator = await startEmulator({
    host: text(values.host) ?? '127.0.0.1',
    doors: Object.keys(doors).length === 0 ? { mqtt: 0, http: 0 } : doors,
    ...(config === undefined ? {} : { config: readJsonFile(config) }),
    ...(key === undefined || cert === undefined ? {} : { tls: { key: readFile(key), cert: readFile(cert) } }),
    ...(values['auto-provision'] === true ? { autoProvision: true } : {}),
    ...(snapshotFile === undefined ? {} : { snapshotFile }),
    ...(values.quiet === true ? {} : { log }),
  });
  const end = () => {
    emulator.close().then(
      () => process.exit(0),
      (thrown: unknown) => fail(thrown),
    );
  };
  process.once('SIGTERM', end);
  process.once('SIGINT', end);
  const caFile = text(values['ca-out']);
  if (caFile !== undefined && emulator.ca !== undefined) {
    const { default: writeFileAtomic } = await import('write-file-atomic');
    await writeFileAtomic(caFile, emulator.ca);
  }
  process.stdout.write(`${JSON.stringify(emulator.addresses)}\n`);
}

type Values = Record<string, string | boolean | undefined>;

function readOptions(): Values {
  try {
    return parseArgs({
      strict: true,
      allowPositionals: false,
      options: {
        config: { type: 'string' },
        host: { type: 'string' },
        ...PORT_OPTIONS,
        'tls-key': { type: 'string' },
        'tls-cert': { type: 'string' },
        'ca-out': { type: 'string' },
        'auto-provision': { type: 'boolean' },
        snapshot: { type: 'string' },
        quiet: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values as Values;
  } catch (thrown) {
    throw new UsageError(thrown instanceof Error ? thrown.message : String(thrown));
  }
}

function readDoors(values: Values): Partial<Record<Door, number>> {
  const doors: Partial<Record<Door, number>> = {};
  for (const door of DOORS) {
    const value = values[`${door}-port`];
    if (typeof value !== 'string') continue;
    const port = Number(value);
    if (!/^\d{1,5}$/.test(value) || port > 65_535) {
      throw new UsageError(`--${door}-port must be 0–65535, not "${value}"`);
    }
    doors[door] = port;
  }
  return doors;
}

function readJsonFile(file: string): unknown {
  const content = readFile(file);
  try {
    return JSON.parse(content);
  } catch (thrown) {
    throw new UsageError(`${file} is not JSON: ${thrown instanceof Error ? thrown.message : ''}`);
  }
}

function readFile(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (thrown) {
    throw new UsageError(`${file} cannot be read: ${thrown instanceof Error ? thrown.message : ''}`);
  }
}

function text(value: string | boolean | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function fail(thrown: unknown): void {
  const usage =
    thrown instanceof UsageError || thrown instanceof ConfigError || thrown instanceof SnapshotError;
  const expected = usage || thrown instanceof DoorError;
  const message = thrown instanceof Error ? (expected ? thrown.message : thrown.stack) : String(thrown);
  process.stderr.write(`alink-emulator: ${message}\n`);
  if (thrown instanceof UsageError) process.stderr.write('Try alink-emulator --help\n');
  process.exit(usage ? 2 : 1);
}

run().catch(fail);
