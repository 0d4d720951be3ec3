import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { JsonObject } from '../../../../protocol';
import { readModelConfiguration } from '../../../../protocol/model-configuration';

describe('gateway model configuration, limits', () => {
  it('is bounded: lists, problems, size', () => {
    const many = Array.from({ length: 6000 }, () => 0);
    const { problems } = readModelConfiguration({ deviceList: many });
    assert.equal(problems.length, 501);
    assert.match(problems.at(-1)?.reason ?? '', /4501 more/);
    assert.throws(() => readModelConfiguration('x'.repeat(17_000_000)), { problem: 'tooLarge' });
  });

  it('a short document cannot become a large one: devices and servers share their products', () => {
    const properties = Array.from({ length: 1000 }, (_, i) => ({
      identifier: `p${i}`,
      operateType: 'holdingRegister',
      registerAddress: i,
      originalDataType: { type: 'uint16' },
    }));
    const devices = (server: (i: number) => string) =>
      readModelConfiguration({
        modelList: [{ profile: { productKey: 'a1' }, properties }],
        serverList: Array.from({ length: 300 }, (_, i) => ({
          protocol: 'TCP',
          ip: '10.0.0.1',
          port: 502,
          serverId: `s${i}`,
        })),
        deviceList: Array.from({ length: 300 }, (_, i) => ({
          productKey: 'a1',
          deviceName: `d${i}`,
          deviceConfig: { serverId: server(i), slaveId: 1 },
        })),
      });
    const ofOne = devices(() => 's0');
    assert.equal(ofOne.devices.length, 200);
    assert.deepEqual(ofOne.problems[0]?.path, 'deviceList[200]');
    const ofMany = devices((i) => `s${i}`);
    assert.equal(ofMany.devices.length, 50);
    assert.equal(ofMany.problems.length, 250);
  });

  it('what is longer than one request can write is only read', () => {
    const text = (registerCount: number, more: object = {}) => ({
      identifier: `t${registerCount}`,
      operateType: 'holdingRegister',
      registerAddress: '0x0',
      originalDataType: { type: 'string', specs: { registerCount } },
      ...more,
    });
    const document = JSON.parse(
      JSON.stringify({
        modelList: [
          {
            profile: { productKey: 'a1' },
            properties: [text(123), text(124), text(125, { writeFunctionCode: 0 })],
          },
        ],
      }),
    ) as JsonObject;
    const { models, problems } = readModelConfiguration(document);
    assert.deepEqual(
      models.get('a1')?.modbus.map(({ writeCode }) => writeCode),
      [16, undefined, undefined],
    );
    assert.deepEqual(
      problems.map(({ path }) => path),
      ['modelList[0].properties[1].writeFunctionCode'],
    );
  });
});
