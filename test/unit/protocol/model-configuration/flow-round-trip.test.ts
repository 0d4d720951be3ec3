import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import type { JsonObject } from '../../../../protocol';
import { runningTab } from '../../../support/generated-flow';

const REGISTERS: Readonly<Record<string, number>> = {
  int16: 1,
  uint16: 1,
  int32: 2,
  uint32: 2,
  int64: 4,
  uint64: 4,
  float: 2,
  double: 4,
};

/** A property in registers, with how many it takes; where it lies is decided later. */
const inRegisters = fc
  .record({
    type: fc.constantFrom(...Object.keys(REGISTERS), 'bool', 'string', 'customized data'),
    registerCount: fc.integer({ min: 1, max: 20 }),
    swap16: fc.integer({ min: 0, max: 1 }),
    reverseRegister: fc.integer({ min: 0, max: 1 }),
    scaling: fc.constantFrom(1, 0.1, -0.5, 10, 0.001, 3),
    mask: fc.option(fc.integer({ min: 1, max: 0xffff }), { nil: undefined }),
    trigger: fc.integer({ min: 1, max: 2 }),
    gap: fc.integer({ min: 0, max: 3 }),
  })
  .map(({ type, registerCount, swap16, reverseRegister, scaling, mask, trigger, gap }) => {
    const count = REGISTERS[type] ?? registerCount;
    // What is scaled back from 64 bits is not exact to the last digit, as numbers of JSON have 53.
    const isScaled = count <= 2 && type in REGISTERS;
    return {
      count,
      gap,
      fields: {
        operateType: 'holdingRegister',
        originalDataType: { type, specs: { registerCount: count, swap16, reverseRegister } },
        scaling: isScaled ? scaling : 1,
        trigger,
        ...(mask !== undefined && /int/.test(type) ? { bitMask: mask } : {}),
      },
    };
  });

const coils = fc
  .record({
    count: fc.integer({ min: 1, max: 20 }),
    gap: fc.integer({ min: 0, max: 3 }),
    type: fc.constantFrom('bool', 'uint16', 'uint32'),
  })
  .map(({ count, gap, type }) => ({
    count: type === 'bool' ? 1 : count,
    gap,
    fields: {
      operateType: 'coilStatus',
      originalDataType: { type, specs: { registerCount: type === 'bool' ? 1 : count } },
    },
  }));

type Place = { identifier: string; registerAddress: number; count: number; fields: JsonObject };

const places = fc.array(fc.oneof(inRegisters, coils), { minLength: 1, maxLength: 20 }).map((list) => {
  let end = 0;
  return list.map(({ count, gap, fields }, i): Place => {
    const registerAddress = end + gap;
    end = registerAddress + count;
    return {
      identifier: `p${i}`,
      registerAddress,
      count,
      fields: JSON.parse(JSON.stringify(fields)) as JsonObject,
    };
  });
});

function documentOf(list: readonly Place[]): JsonObject {
  const properties = list.map(({ identifier, registerAddress, fields }) => ({
    identifier,
    registerAddress,
    ...fields,
  }));
  return {
    modelList: [{ profile: { productKey: 'a1Pump' }, properties }],
    serverList: [{ protocol: 'TCP', ip: '10.0.0.5', port: 502, serverId: 's' }],
    deviceList: ['pump-1', 'pump-2'].map((deviceName, i) => ({
      productKey: 'a1Pump',
      deviceName,
      deviceConfig: { serverId: 's', slaveId: i + 1 },
    })),
    tslList: [],
  };
}

describe('generated flow, both directions', () => {
  it('what is polled of one device and set at another is polled there too', () => {
    fc.assert(
      fc.property(places, fc.infiniteStream(fc.integer({ min: 0, max: 0xffff })), (list, words) => {
        const tab = runningTab(documentOf(list));
        const { server } = tab;
        const next = () => Number(words.next().value);
        for (const { registerAddress, count, fields } of list) {
          const isText = (fields.originalDataType as JsonObject).type === 'string';
          for (let i = 0; i < count; i++) {
            const area = fields.operateType === 'coilStatus' ? 0 : 4;
            const word = area === 0 ? next() & 1 : isText ? 0x4142 + (next() % 16) : next();
            server.set(1, area, registerAddress + i, word);
          }
        }
        const polled = (deviceName: string) =>
          Object.assign(
            {},
            ...tab.reports.filter(({ topic }) => topic === deviceName).map(({ payload }) => payload),
          );
        tab.clock(1000);
        const values = polled('pump-1');
        tab.set('pump-2', values);
        assert.deepEqual(
          tab.replies.map(({ code, reason }) => [code, reason]),
          [[200, '']],
        );
        tab.clock(1000);
        const { ...after } = polled('pump-2');
        for (const [identifier, value] of Object.entries(values))
          assert.equal(after[identifier], value, identifier);
      }),
    );
  });
});
