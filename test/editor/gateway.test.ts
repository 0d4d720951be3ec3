import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { DEMO, DEMO_PLATFORM, EditorPage, idOf, type Language, useEditor } from '../support/editor';
import { gateway, meter } from '../support/gateway-flows';
import type { FlowNode } from '../support/runtime';

const PLACE = { platform: DEMO_PLATFORM };
const FLOW: FlowNode[] = [
  ...DEMO.filter(({ role }) => role !== 'gateway'),
  gateway({ ...PLACE, name: 'Boiler room' }),
  gateway({ ...PLACE, id: 'asleep', deviceName: 'gate-02', d: true }),
  meter(1, { name: 'Meter 1' }),
  meter(2, { platform: '', gateway: idOf('alink-device') }),
];

/** Names of the rows that a person sees. */
const ROLES: Record<string, { shown: string[]; hidden: string[] }> = {
  device: {
    shown: ['platform', 'transport', 'port', 'keepAlive', 'correctTime', 'deviceSecret', 'clientId'],
    hidden: ['gateway', 'loginsPerSecond', 'loginBatch', 'subscribeEach'],
  },
  gateway: {
    shown: ['platform', 'transport', 'port', 'keepAlive', 'loginsPerSecond', 'loginBatch', 'subscribeEach'],
    hidden: ['gateway'],
  },
  subDevice: {
    shown: ['gateway', 'deviceSecret', 'signMethod', 'clientId', 'requestTimeout', 'cleanSession'],
    hidden: ['platform', 'transport', 'port', 'keepAlive', 'correctTime', 'loginsPerSecond'],
  },
};

for (const language of ['en-US', 'zh-CN'] as const) describeRoles(language);

function describeRoles(language: Language): void {
  const english = language === 'en-US';

  describe(`roles of a device in ${language}`, () => {
    const host = useEditor();
    let editor: EditorPage;
    before(async () => {
      await host().runtime.deploy(FLOW);
      editor = await EditorPage.open(host(), language, 'light');
    });
    after(async () => {
      await editor.close();
      await host().runtime.deploy(DEMO);
    });

    const inDialog = (id: string, title: string, test: () => Promise<void>) =>
      it(title, async () => {
        await editor.openDialog(id);
        await test();
        await editor.closeDialog();
        assert.deepEqual(editor.problems, []);
      });
    const options = (name: string) =>
      editor
        .field(name)
        .locator('option:not([hidden])')
        .evaluateAll((list) => list.map((option) => (option as HTMLOptionElement).value));
    const marked = async (name: string) =>
      ((await editor.field(name).getAttribute('class')) ?? '').includes('input-error');
    const verdict = (id: string, field: string, changes: object = {}) =>
      editor.page.evaluate(
        ([nodeId, name, given]) => {
          const node = { ...Reflect.get(window, 'RED').nodes.node(nodeId), ...given };
          return node._def.defaults[name].validate.call(node, node[name], {}) as unknown;
        },
        [id, field, changes] as const,
      );

    it('a sub-device that no flow node names does not count as unused, so that nobody deletes it', async () => {
      const unused = await editor.page.evaluate(() => {
        const names: string[] = [];
        Reflect.get(window, 'RED').nodes.eachConfig(
          (node: { id: string; users: unknown[]; _def: { hasUsers?: boolean } }) => {
            if (node._def.hasUsers !== false && node.users.length === 0) names.push(node.id);
          },
        );
        return names;
      });
      assert.ok(!unused.includes('m-1') && !unused.includes('m-2'), String(unused));
    });

    inDialog('m-2', 'a gateway is not chosen behind the user’s back', async () => {
      assert.notEqual(await editor.field('gateway').inputValue(), 'gate');
    });

    inDialog(
      idOf('alink-device'),
      'the only gateway is chosen for a device that becomes a sub-device',
      async () => {
        await editor.field('role').selectOption('subDevice');
        assert.equal(await editor.field('gateway').inputValue(), 'gate');
        assert.equal(await marked('gateway'), false);
      },
    );

    inDialog('gate', 'shows what belongs to each', async () => {
      for (const [role, { shown, hidden }] of Object.entries(ROLES)) {
        await editor.field('role').selectOption(role);
        for (const name of shown) assert.ok(await editor.field(name).isVisible(), `${role} lacks ${name}`);
        for (const name of hidden) assert.ok(!(await editor.field(name).isVisible()), `${role} has ${name}`);
        assert.match((await editor.note('role').textContent()) ?? '', english ? /^[A-Z]/ : /[\u4e00-\u9fff]/);
      }
    });

    inDialog('m-1', 'offers a sub-device the ways to a secret that it has', async () => {
      assert.deepEqual(await options('authentication'), ['deviceSecret', 'subRegister', 'productRegister']);
      await editor.field('authentication').selectOption('subRegister');
      assert.ok(!(await editor.field('deviceSecret').isVisible()));
      assert.ok(!(await editor.field('productSecret').isVisible()));
      await editor.field('authentication').selectOption('productRegister');
      assert.ok(await editor.field('productSecret').isVisible());
      await editor.field('role').selectOption('device');
      assert.equal(await editor.field('authentication').inputValue(), 'deviceSecret');
      assert.ok(!(await options('authentication')).includes('productRegister'));
      await editor.field('authentication').selectOption('iotToken');
      await editor.field('role').selectOption('subDevice');
      assert.equal(await editor.field('authentication').inputValue(), 'deviceSecret');
    });

    inDialog('m-1', 'lists gateways only, without a dialog in the dialog', async () => {
      const gateways = FLOW.filter(({ role }) => role === 'gateway').map(({ id }) => id);
      assert.ok(gateways.includes('gate') && gateways.includes('asleep'));
      assert.deepEqual((await options('gateway')).sort(), [...gateways, '_ADD_'].sort());
      assert.equal(await editor.field('gateway').inputValue(), 'gate');
      assert.equal(await editor.page.locator('[data-roles="subDevice"] a.red-ui-button').count(), 0);
      assert.ok(await editor.page.locator('#node-config-input-btn-platform-edit').count());
      assert.ok(!(await marked('gateway')));
      assert.ok(!(await marked('platform')));
      await editor.field('gateway').selectOption('_ADD_');
      assert.ok(await marked('gateway'));
      await editor.field('gateway').selectOption('asleep');
      assert.ok(await marked('gateway'));
    });

    inDialog('m-2', 'keeps showing a choice that is no gateway, with the reason', async () => {
      assert.equal(await editor.field('gateway').inputValue(), idOf('alink-device'));
      assert.ok(await marked('gateway'));
    });

    inDialog('m-1', 'fills a sub-device from its certificate', async () => {
      const box = editor.page.locator('[data-role="paste"]');
      await editor.field('authentication').selectOption('subRegister');
      await box.fill('{"ProductKey":"a1Other","DeviceName":"meter-9","DeviceSecret":"0123456789abcdef"}');
      assert.equal(await editor.field('authentication').inputValue(), 'deviceSecret');
      await box.fill('{"ProductKey":"a1Other","DeviceName":"meter-9","ProductSecret":"0123456789abcdef"}');
      assert.equal(await editor.field('authentication').inputValue(), 'productRegister');
    });

    it('says what is wrong with a gateway', async () => {
      for (const [field, id, changes, reason] of [
        ['gateway', 'm-1', {}, true],
        ['platform', 'm-1', {}, true],
        ['platform', 'gate', { platform: '' }, english ? /Choose a platform/ : /请选择平台/],
        ['gateway', 'm-1', { gateway: '' }, english ? /Choose a gateway/ : /请选择网关/],
        ['gateway', 'm-1', { gateway: 'gone' }, english ? /no longer exists/ : /已不存在/],
        ['gateway', 'm-1', { gateway: 'asleep' }, english ? /disabled/ : /已停用/],
        ['gateway', 'm-1', { gateway: 'm-1' }, english ? /its own gateway/ : /自身/],
        ['gateway', 'm-2', {}, english ? /is no gateway/ : /不是网关/],
        ['gateway', 'gate', { gateway: 'gone' }, true],
        ['loginBatch', 'gate', { loginBatch: '51' }, english ? /1 to 50/ : /1 到 50/],
        ['loginBatch', 'gate', { loginBatch: '50' }, true],
        ['loginsPerSecond', 'gate', { loginsPerSecond: '0' }, true],
        ['loginsPerSecond', 'gate', { loginsPerSecond: '-1' }, english ? /0 to 10000/ : /0 到 10000/],
      ] as const) {
        const said = await verdict(id, field, changes);
        if (reason === true) assert.equal(said, true, `${field} ${JSON.stringify(changes)}`);
        else assert.match(String(said), reason);
      }
    });

    it('marks the nodes of a sub-device whose gateway is wrong', async () => {
      const post = idOf('alink-property-post');
      assert.equal(await verdict(post, 'device', { device: 'm-1' }), true);
      assert.match(
        String(await verdict(post, 'device', { device: 'm-2' })),
        english ? /incomplete/ : /不完整/,
      );
    });

    for (const type of ['alink-property-post', 'alink-event-out']) {
      inDialog(idOf(type), `${type} has a pack window at a gateway only`, async () => {
        assert.ok(!(await editor.field('packWindow').isVisible()));
        await editor.field('device').selectOption('gate');
        assert.ok(await editor.field('packWindow').isVisible());
        await editor.field('device').selectOption('m-1');
        assert.ok(!(await editor.field('packWindow').isVisible()));
      });
      it(`${type}: bounds of the pack window`, async () => {
        for (const [packWindow, fits] of [
          ['', true],
          ['0', true],
          ['10000', true],
          ['10001', false],
          ['-1', false],
        ] as const) {
          assert.equal((await verdict(idOf(type), 'packWindow', { packWindow })) === true, fits, packWindow);
        }
      });
    }

    for (const type of ['alink-property-set', 'alink-service-in', 'alink-raw-in', 'alink-topic-in']) {
      inDialog(idOf(type), `${type} can take requests to sub-devices at a gateway only`, async () => {
        assert.ok(!(await editor.field('subDevices').isVisible()));
        await editor.field('device').selectOption('gate');
        assert.ok(await editor.field('subDevices').isVisible());
      });
    }
  });
}

describe('roles that are saved', () => {
  const host = useEditor();
  after(() => host().runtime.deploy(DEMO));

  it('hold no reference that the role has no use for, and count as users of what they refer to', async () => {
    await host().runtime.deploy(FLOW);
    const editor = await EditorPage.open(host(), 'en-US', 'light');
    const stored = (id: string) =>
      editor.page.evaluate((nodeId) => {
        const { nodes } = Reflect.get(window, 'RED');
        const { platform, gateway, role, valid } = nodes.node(nodeId);
        const users = nodes.node('gate').users.map((user: { id: string }) => user.id);
        return { platform, gateway, role, valid, users };
      }, id);
    const save = () => editor.page.locator('#node-config-dialog-ok').click();
    const closed = () => editor.page.locator('.red-ui-tray').waitFor({ state: 'detached' });

    assert.deepEqual((await stored('m-1')).users, ['m-1']);
    await editor.openDialog('m-2');
    await editor.field('gateway').selectOption('gate');
    await save();
    await closed();
    assert.deepEqual(await stored('m-2'), {
      platform: '',
      gateway: 'gate',
      role: 'subDevice',
      valid: true,
      users: ['m-1', 'm-2'],
    });

    await editor.openDialog('m-2');
    await editor.field('role').selectOption('device');
    await editor.field('platform').selectOption(DEMO_PLATFORM);
    await save();
    await closed();
    assert.deepEqual(await stored('m-2'), {
      platform: DEMO_PLATFORM,
      gateway: '',
      role: 'device',
      valid: true,
      users: ['m-1'],
    });
    assert.deepEqual(editor.problems, []);
    await editor.close();
  });

  it('are carried by an export of a node', async () => {
    await host().runtime.deploy(FLOW);
    const editor = await EditorPage.open(host(), 'en-US', 'light');
    const exported = await editor.page.evaluate((id) => {
      const { nodes } = Reflect.get(window, 'RED');
      const node = nodes.node(id);
      node.device = 'm-1';
      return nodes.createExportableNodeSet([node]).map(({ id: each }: { id: string }) => each) as string[];
    }, idOf('alink-property-post'));
    for (const id of ['m-1', 'gate', DEMO_PLATFORM]) assert.ok(exported.includes(id), `${exported}`);
    await editor.close();
  });
});
