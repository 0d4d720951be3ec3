import { readFileSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';
import { newDeviceNameProblem } from '../protocol';

/** What a machine can be named after, so that one SD image serves many devices. */
export type MachineNameKind = 'mac' | 'hostname' | 'serial';

/** Where the name comes from; tests bring their own machine. */
export interface MachineSources {
  networkInterfaces: typeof networkInterfaces;
  hostname: typeof hostname;
  readFile: (path: string) => string | undefined;
}

const SYSTEM: MachineSources = {
  networkInterfaces,
  hostname,
  readFile: (path) => {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return undefined; // other boards keep their serial elsewhere
    }
  },
};
// Boards first (device tree, Raspberry Pi's cpuinfo), then PCs, where root alone may read it.
const SERIAL_FILES = ['/proc/device-tree/serial-number', '/proc/cpuinfo', '/sys/class/dmi/id/product_serial'];

// What makers leave in the field when they fill in nothing; many machines would get the same name.
const NO_SERIAL =
  /^(0+|none|n\/a|not (specified|applicable)|default string|to be filled.*|system serial.*)$/i;

/**
 * A deviceName made of the machine: MAC address, host name, or board serial, fitted to the rule of section D.
 * @returns undefined when the machine has none that can be used
 */
export function machineName(kind: MachineNameKind, sources: MachineSources = SYSTEM): string | undefined {
  const raw = kind === 'mac' ? mac(sources) : kind === 'hostname' ? sources.hostname() : serial(sources);
  if (raw === undefined) return undefined;
  const name = raw
    .replaceAll(/[^A-Za-z0-9\-_@.:]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 32)
    .padEnd(4, '0');
  return raw.trim() === '' || newDeviceNameProblem(name) !== undefined ? undefined : name;
}

/** Of several interfaces the first by name, physical ones before virtual ones: the same after each start. */
function mac({ networkInterfaces: interfaces }: MachineSources): string | undefined {
  const candidates = Object.entries(interfaces())
    .flatMap(([name, addresses]) =>
      (addresses ?? []).map(({ internal, mac: address }) => ({ name, internal, address })),
    )
    .filter(({ internal, address }) => !internal && !/^(00:){5}00$/.test(address))
    .sort(
      (a, b) => Number(isVirtual(a.name)) - Number(isVirtual(b.name)) || a.name.localeCompare(b.name, 'en'),
    );
  return candidates[0]?.address.replaceAll(':', '').toLowerCase();
}

function isVirtual(name: string): boolean {
  return /^(docker|br-|veth|virbr|tun|tap|wg|zt|tailscale|vmnet|vEthernet)/.test(name);
}

function serial({ readFile }: MachineSources): string | undefined {
  for (const file of SERIAL_FILES) {
    const text = readFile(file);
    const found = file.endsWith('cpuinfo')
      ? text?.match(/^Serial\s*:\s*(\S+)/m)?.[1]
      : text?.replaceAll('\0', '').trim();
    if (found !== undefined && found !== '' && !NO_SERIAL.test(found)) return found;
  }
  return undefined;
}
