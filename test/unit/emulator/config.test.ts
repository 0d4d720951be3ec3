import assert from 'node:assert/strict';
import fc from 'fast-check';
import { readConfig } from '../../../emulator/config';
import { ConfigError } from '../../../emulator/config-reader';

const product = (extra: object) => ({ products: [{ productKey: 'a', ...extra }] });

describe('emulator configuration', () => {
  it('reads everything the file may hold', () => {
    const config = readConfig({
      accessKeys: [{ id: 'a', secret: 'b' }],
      autoProvision: true,
      limits: { sessionQueue: 5, checkKeepAlive: false },
      products: [
        {
          productKey: 'a',
          productSecret: 'c',
          dynamicRegistration: true,
          nodeType: 'gateway',
          dataFormat: 'custom',
          thingModel: { properties: [], events: [], services: [] },
          topics: [{ topic: '/user/#', operation: 'all' }],
          devices: [{ deviceName: 'd', deviceSecret: 'e', tags: { room: '1' } }, { deviceName: 'f' }],
        },
      ],
    });
    assert.deepEqual(config.limits, { sessionQueue: 5, checkKeepAlive: false });
    assert.equal(config.products[0]?.nodeType, 'gateway');
    assert.equal(config.products[0]?.thingModel?.properties.size, 0);
    assert.deepEqual(config.products[0]?.devices[1], { deviceName: 'f' });
  });

  it('takes a script as text or as a list of its lines', () => {
    for (const script of ['var a;\nvar b;', ['var a;', 'var b;']]) {
      assert.equal(readConfig(product({ script })).products[0]?.script, 'var a;\nvar b;');
    }
  });

  it('puts devices behind gateways, of this product or of another', () => {
    const gateway = { productKey: 'g', deviceName: 'one' };
    const config = readConfig({
      products: [
        { productKey: 'a', devices: [{ deviceName: 'b', gateway }, { deviceName: 'c' }] },
        { productKey: 'g', devices: [{ deviceName: 'one' }, { deviceName: 'two', gateway }] },
      ],
    });
    assert.deepEqual(
      config.products.flatMap(({ devices }) => devices.map((device) => device.gateway)),
      [gateway, undefined, undefined, gateway],
    );
  });

  for (const [why, types, gateway] of [
    ['is the device itself', {}, { productKey: 'a', deviceName: 'b' }],
    ['is none of the devices', {}, { productKey: 'g', deviceName: 'b' }],
    ['is none of the devices', {}, { productKey: 'x', deviceName: 'one' }],
    ['stands behind none', { a: 'gateway' }, { productKey: 'g', deviceName: 'one' }],
    ['no gateway', { g: 'device' }, { productKey: 'g', deviceName: 'one' }],
  ] as Array<[string, { a?: string; g?: string }, object]>) {
    it(`refuses a gateway that ${why}`, () => {
      const products = [
        { productKey: 'a', nodeType: types.a, devices: [{ deviceName: 'b', gateway }] },
        { productKey: 'g', nodeType: types.g, devices: [{ deviceName: 'one' }] },
      ];
      assert.throws(
        () => readConfig(JSON.parse(JSON.stringify({ products }))),
        (error: ConfigError) => error.path === 'products[0].devices[0].gateway' && error.reason.includes(why),
      );
    });
  }

  it('takes an empty one', () => {
    assert.deepEqual(readConfig({}), {
      accessKeys: [],
      products: [],
      routes: [],
      autoProvision: undefined,
      limits: {},
    });
  });

  const faults: Array<[unknown, string]> = [
    [undefined, 'config'],
    [[], 'config'],
    [{ produkts: [] }, 'produkts'],
    [{ products: {} }, 'products'],
    [{ products: ['a'] }, 'products[0]'],
    [{ products: [{}] }, 'products[0].productKey'],
    [{ products: [{ productKey: 'a/b' }] }, 'products[0].productKey'],
    [{ products: [{ productKey: 'a' }, { productKey: 'a' }] }, 'products[1].productKey'],
    [product({ nodeType: 'robot' }), 'products[0].nodeType'],
    [product({ dynamicRegistration: 'yes' }), 'products[0].dynamicRegistration'],
    [product({ thingModel: { properties: 1 } }), 'products[0].thingModel'],
    [product({ topics: [{ topic: 'user/a' }] }), 'products[0].topics[0].topic'],
    [product({ topics: [{ topic: '/user/a', operation: 'eat' }] }), 'products[0].topics[0].operation'],
    [product({ script: 1 }), 'products[0].script'],
    [product({ script: ['var a', 1] }), 'products[0].script'],
    [product({ script: 'x'.repeat(200_000) }), 'products[0].script'],
    [product({ devices: [{ deviceName: '' }] }), 'products[0].devices[0].deviceName'],
    [product({ devices: [{ deviceName: 'a' }, { deviceName: 'a' }] }), 'products[0].devices[1].deviceName'],
    [product({ devices: [{ deviceName: 'a', tags: { b: 1 } }] }), 'products[0].devices[0].tags'],
    [product({ devices: [{ deviceName: 'a', gateway: 'b' }] }), 'products[0].devices[0].gateway'],
    [
      product({ devices: [{ deviceName: 'a', gateway: { productKey: 'b' } }] }),
      'products[0].devices[0].gateway.deviceName',
    ],
    [product({ devices: [{ deviceName: 'a', secret: 'b' }] }), 'products[0].devices[0].secret'],
    [{ accessKeys: [{ id: 'a' }] }, 'accessKeys[0].secret'],
    [{ autoProvision: 1 }, 'autoProvision'],
    [{ routes: {} }, 'routes'],
    [{ routes: [{ from: '/a/b/user/c' }] }, 'routes[0].to'],
    [{ routes: [{ from: 'a', to: '/a/b/c' }] }, 'routes[0].from'],
    [{ routes: [{ from: '/a/#/b', to: '/a/b/c' }] }, 'routes[0].from'],
    [{ routes: [{ from: '/a/b/c', to: '/a/+/c' }] }, 'routes[0].to'],
    [{ routes: [{ from: '/a/b/c', to: '/a/b' }] }, 'routes[0].to'],
    [{ routes: [{ from: '/a', to: '/a/b/c', sql: '*' }] }, 'routes[0].sql'],
    [
      {
        routes: [
          { from: '/a', to: '/a/b/c' },
          { from: '/a', to: '/a/b/c' },
        ],
      },
      'routes[1]',
    ],
    [{ limits: { sessionQueue: -1 } }, 'limits.sessionQueue'],
    [{ limits: { checkKeepAlive: 1 } }, 'limits.checkKeepAlive'],
    [{ limits: { speed: 1 } }, 'limits.speed'],
  ];
  for (const [config, path] of faults) {
    it(`names ${path} in ${JSON.stringify(config)?.slice(0, 200)}`, () => {
      assert.throws(() => readConfig(config), { name: 'ConfigError', path });
    });
  }

  it('never fails in another way', () => {
    fc.assert(
      fc.property(
        fc.jsonValue(),
        fc.constantFrom('products', 'accessKeys', 'limits', 'routes'),
        (value, name) => {
          try {
            readConfig({ [name]: value });
          } catch (thrown) {
            assert.ok(thrown instanceof ConfigError);
          }
        },
      ),
    );
  });
});
