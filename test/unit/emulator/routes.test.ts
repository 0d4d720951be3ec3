import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  routeDestinationProblem,
  routeSourceProblem,
  TopicRoutes,
} from '../../../emulator/forwarding/routes';

const SOURCE = { productKey: 'a1Lamp', deviceName: 'lamp-1' };

function routesOf(...routes: Array<[from: string, to: string]>): TopicRoutes {
  const table = new TopicRoutes(100);
  for (const [from, to] of routes) assert.ok(table.add({ from, to }));
  return table;
}

describe('topic routes', () => {
  it('leads to the device that owns the destination', () => {
    const table = routesOf(
      ['/a1Lamp/+/user/update', '/a1Phone/phone-1/user/get'],
      ['/a1Lamp/#', '/sys/a1Phone/phone-2/thing/service/property/set'],
      ['/a1Lamp/lamp-2/user/update', '/a1Phone/phone-3/user/get'],
    );
    assert.deepEqual(table.destinations('/a1Lamp/lamp-1/user/update', SOURCE), [
      { identity: { productKey: 'a1Phone', deviceName: 'phone-1' }, topic: '/a1Phone/phone-1/user/get' },
      {
        identity: { productKey: 'a1Phone', deviceName: 'phone-2' },
        topic: '/sys/a1Phone/phone-2/thing/service/property/set',
      },
    ]);
    assert.deepEqual(table.destinations('/other/lamp-1/user/update', SOURCE), []);
  });

  it('has each destination once, and each route once', () => {
    const table = routesOf(['/a/b/c', '/x/y/z'], ['/a/+/c', '/x/y/z'], ['/a/b/c', '/x/y/z']);
    assert.equal(table.destinations('/a/b/c', SOURCE).length, 1);
    assert.equal(table.list().length, 2);
    assert.ok(table.remove({ from: '/a/b/c', to: '/x/y/z' }));
    assert.ok(!table.remove({ from: '/a/b/c', to: '/x/y/z' }));
    assert.equal(table.list().length, 1);
  });

  it('holds so many and no more', () => {
    const table = new TopicRoutes(2);
    const added = ['1', '2', '3', '1'].map((name) => table.add({ from: `/a/${name}`, to: '/x/y/z' }));
    assert.deepEqual(added, [true, true, false, true]);
  });

  it('fills in whom a message is from, whatever characters names have', () => {
    const name = fc.stringMatching(/^[A-Za-z0-9_.:@$&-]{4,32}$/);
    fc.assert(
      fc.property(name, name, (productKey, deviceName) => {
        const table = routesOf(['/+/+/up', `/$${'{productKey}'}/copy/of/{deviceName}`]);
        const [found] = table.destinations(`/${productKey}/${deviceName}/up`, { productKey, deviceName });
        assert.deepEqual(found, {
          identity: { productKey, deviceName: 'copy' },
          topic: `/${productKey}/copy/of/${deviceName}`,
        });
      }),
    );
  });

  it('takes whatever the check lets pass, and nothing that could not be sent', () => {
    const level = fc.constantFrom('a', '+', '#', '', '{deviceName}', 'sys', 'x'.repeat(200), '\0');
    const topic = fc.array(level, { maxLength: 6 }).map((levels) => `/${levels.join('/')}`);
    fc.assert(
      fc.property(topic, topic, (from, to) => {
        if (routeSourceProblem(from) !== undefined || routeDestinationProblem(to) !== undefined) return;
        assert.ok(!/[+#\0]/.test(to));
        const found = routesOf([from, to]).destinations(from, SOURCE);
        for (const { identity, topic: target } of found) {
          assert.ok(target.startsWith(`/${identity.productKey}/`) || target.startsWith('/sys/'));
        }
      }),
    );
  });
});
