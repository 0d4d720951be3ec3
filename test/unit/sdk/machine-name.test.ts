import assert from 'node:assert/strict';
import type { NetworkInterfaceInfo } from 'node:os';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { newDeviceNameProblem } from '../../../protocol';
import { type MachineSources, machineName } from '../../../sdk';

function machine(parts: {
  macs?: Record<string, string>;
  hostname?: string;
  files?: Record<string, string>;
}) {
  const sources: MachineSources = {
    networkInterfaces: () =>
      Object.fromEntries(
        Object.entries(parts.macs ?? {}).map(([name, mac]) => [
          name,
          [{ mac, internal: name === 'lo' } as NetworkInterfaceInfo],
        ]),
      ),
    hostname: () => parts.hostname ?? '',
    readFile: (path) => parts.files?.[path],
  };
  return sources;
}

describe('name from the machine', () => {
  it('is the MAC address of the first physical interface', () => {
    const macs = {
      lo: '00:00:00:00:00:00',
      'br-1': '02:42:00:00:00:01',
      wlan0: 'B8:27:EB:00:00:02',
      eth0: 'B8:27:EB:00:00:01',
    };
    assert.equal(machineName('mac', machine({ macs })), 'b827eb000001');
    assert.equal(machineName('mac', machine({ macs: { lo: '00:00:00:00:00:00' } })), undefined);
    const reversed = Object.fromEntries(Object.entries(macs).reverse());
    assert.equal(machineName('mac', machine({ macs: reversed })), 'b827eb000001', 'in any order');
  });

  it('is the serial number of the board, wherever the board keeps it', () => {
    const pi = { '/proc/cpuinfo': 'Hardware\t: BCM2835\nSerial\t\t: 10000000abcd1234\nModel\t: Pi' };
    assert.equal(machineName('serial', machine({ files: pi })), '10000000abcd1234');
    const tree = { ...pi, '/proc/device-tree/serial-number': '10000000ffff0000\0' };
    assert.equal(machineName('serial', machine({ files: tree })), '10000000ffff0000');
  });

  for (const nothing of ['', '0', '00000000', 'None', 'To Be Filled By O.E.M.', 'Default string', 'N/A']) {
    it(`is not "${nothing}", which many boards say`, () => {
      const files = { '/sys/class/dmi/id/product_serial': `${nothing}\n` };
      assert.equal(machineName('serial', machine({ files })), undefined);
    });
  }

  it('fits the rule of the platform, or there is none', () => {
    assert.equal(machineName('hostname', machine({ hostname: 'pi' })), 'pi00');
    assert.equal(machineName('hostname', machine({ hostname: '' })), undefined);
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (hostname) => {
        const name = machineName('hostname', machine({ hostname }));
        assert.ok(name === undefined || newDeviceNameProblem(name) === undefined, name);
      }),
    );
  });
});
