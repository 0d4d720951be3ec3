import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import {
  generateFlow,
  readModelConfiguration,
  spokenProblem,
} from '../../../../protocol/model-configuration';
import { CHINESE } from '../../../../protocol/model-configuration/chinese';
import { CHINESE_PROBLEMS } from '../../../../protocol/model-configuration/chinese-problems';
import { askText } from '../../../../protocol/model-configuration/flow/texts/modbus-ask-text';
import { decodeText } from '../../../../protocol/model-configuration/flow/texts/modbus-decode-text';
import { writeText } from '../../../../protocol/model-configuration/flow/texts/modbus-write-text';
import { opcUaText } from '../../../../protocol/model-configuration/flow/texts/opcua-text';
import { said, saidAbout, spoken } from '../../../../protocol/model-configuration/said';
import { BOILER_HOUSE } from '../../../support/boiler-house';
import { runningTab } from '../../../support/generated-flow';
import { RunningOpcUaTab } from '../../../support/generated-opcua-flow';
import { PLANT } from './plant';

const LANGUAGES = ['en-US', 'zh-CN'] as const;
type Language = (typeof LANGUAGES)[number];
const placeholders = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort();

describe('sentences of generated flows', () => {
  it('are said in Chinese with the same values, and none stands there for nothing', () => {
    const code = [askText, decodeText, writeText, opcUaText].join();
    for (const [english, chinese] of Object.entries({ ...CHINESE, ...CHINESE_PROBLEMS })) {
      assert.deepEqual(placeholders(chinese), placeholders(english));
      if (english in CHINESE) assert.ok(code.includes(english), `nothing says: ${english}`);
      assert.doesNotMatch(
        chinese.replace(
          /\{\w+\}|payload|UTF-8|true|false|productKey|TCP|RTU|OPC UA|Modbus|opc\.tcp|0xFFFF/g,
          '',
        ),
        /[a-z]{2}/i,
      );
    }
  });

  it('values are told as they are, whatever stands in them, but not at any length', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('{what}', '$&', '__proto__')),
        (name) => {
          const what = said('cannot be written');
          assert.equal(spoken(saidAbout(name, what), CHINESE), `${name}：不可写`);
          assert.equal(spoken(saidAbout(what, name)), `cannot be written: ${name}`);
        },
      ),
    );
    const long = spoken(said('{value} is not a number', { value: '7'.repeat(100_000) }));
    assert.ok(long.length < 300);
  });

  it('stand in a function node once, and only those that it says', () => {
    for (const [document, sentence] of [
      [PLANT, 'does not answer ({reason})'],
      [BOILER_HOUSE, 'has no {names}'],
    ] as const) {
      const texts = LANGUAGES.map((language) =>
        generateFlow(readModelConfiguration(document), { gateway: 'g', language })
          .map(({ func }) => String(func ?? ''))
          .join('\n'),
      );
      const [english = '', chinese = ''] = texts;
      assert.ok(english.includes(sentence) && !english.includes(CHINESE[sentence]));
      assert.ok(chinese.includes(CHINESE[sentence]));
      assert.ok(chinese.length < english.length * 1.15, `${english.length} and ${chinese.length} characters`);
    }
    const [pump = ''] = generateFlow(readModelConfiguration(PLANT), { gateway: 'g', language: 'zh-CN' })
      .map(({ func }) => String(func ?? ''))
      .filter((text) => text.includes('decode(plan'));
    assert.ok(!pump.includes(CHINESE['the method is not found on the server']));
  });
});

describe('problems of a document, in both languages', () => {
  it('say where and what', () => {
    const { problems } = readModelConfiguration({
      modelList: 'all',
      serverList: [{ protocol: 'UDP', serverId: 'a' }],
      deviceList: [{ productKey: 'a1', deviceName: 'd', deviceConfig: { serverId: 'b' } }],
    });
    const spokenIn = (language: Language) => problems.map((problem) => spokenProblem(problem, language));
    assert.deepEqual(
      spokenIn('en-US'),
      problems.map(({ path, reason }) => `${path}: ${reason}`),
    );
    assert.deepEqual(spokenIn('zh-CN'), [
      'serverList[0].protocol："UDP" 既不是 TCP 也不是 RTU',
      'modelList：不是列表',
      'deviceList[0].deviceConfig.serverId：没有服务器“b”',
    ]);
  });
});

/** What the user reads and the platform is told, in both languages. */
const MODBUS: Array<
  [title: string, run: (language: Language) => unknown[], expected: Record<Language, unknown[]>]
> = [
  [
    'a device that is away',
    (language) => {
      const tab = runningTab(PLANT, language);
      tab.server.away.add(1);
      tab.clock(1000);
      tab.set('pump-1', { valve: 1 });
      return [
        tab.functions.warnings,
        tab.functions.status.text,
        tab.replies[0]?.code,
        tab.replies[0]?.reason,
      ];
    },
    {
      'en-US': [
        ['a1Pump/pump-1: does not answer (Timed out)'],
        'a1Pump/pump-1: does not answer (Timed out)',
        400,
        'the device does not answer (Timed out)',
      ],
      'zh-CN': [
        ['a1Pump/pump-1：无应答（Timed out）'],
        'a1Pump/pump-1：无应答（Timed out）',
        400,
        '设备无应答（Timed out）',
      ],
    },
  ],
  [
    'a request that is refused',
    (language) => {
      const tab = runningTab(PLANT, language);
      const refuse = () => {
        throw new Error('Modbus exception 2: Illegal data address');
      };
      Object.assign(tab.server, { read: refuse, write: refuse });
      tab.clock(1000);
      tab.set('pump-1', { valve: 1 });
      return [tab.functions.warnings[0], tab.replies[0]?.reason];
    },
    {
      'en-US': [
        'a1Pump/pump-1 (fc 3, 16–20): refuses (Modbus exception 2: Illegal data address)',
        'the device refuses (Modbus exception 2: Illegal data address)',
      ],
      'zh-CN': [
        'a1Pump/pump-1（功能码 3，地址 16–20）：拒绝请求（Modbus exception 2: Illegal data address）',
        '设备拒绝请求（Modbus exception 2: Illegal data address）',
      ],
    },
  ],
  [
    'a connection that is lost',
    (language) => {
      const tab = runningTab(PLANT, language);
      tab.server.read = () => {
        throw new Error('Client Not Ready');
      };
      for (let i = 0; i < 12; i++) tab.clock(1000);
      return tab.functions.warnings;
    },
    {
      'en-US': ['the server: is not reached (Client Not Ready)'],
      'zh-CN': ['服务器：无法连接（Client Not Ready）'],
    },
  ],
  [
    'an answer that is none',
    (language) => {
      const tab = runningTab(PLANT, language);
      tab.server.read = () => [1, 70_000];
      tab.clock(1000);
      const [short] = tab.functions.warnings;
      tab.functions.warnings.length = 0;
      tab.server.read = () => [70_000, 0, 0x7fc0, 0, 0];
      tab.clock(1000);
      return [short, tab.functions.warnings[0]];
    },
    {
      'en-US': [
        'a1Pump/pump-1 (fc 3, 16–20): 5 registers or coils were asked for, 2 came',
        'a1Pump/pump-1 (fc 3, 16–20): temperature: 70000 is not a register (0–65535); flow: the registers hold NaN',
      ],
      'zh-CN': [
        'a1Pump/pump-1（功能码 3，地址 16–20）：请求了 5 个寄存器或线圈，只收到 2 个',
        'a1Pump/pump-1（功能码 3，地址 16–20）：temperature：70000 不是有效的寄存器值（0–65535）；flow：寄存器中的数值无效（NaN）',
      ],
    },
  ],
  [
    'values that cannot be written',
    (language) =>
      [{ temperature: 1e6 }, { temperature: 'warm' }, { other: 1 }, [1]].map((payload) => {
        const tab = runningTab(PLANT, language);
        tab.set('pump-1', payload);
        return [tab.replies[0]?.code, tab.replies[0]?.reason];
      }),
    {
      'en-US': [
        [460, 'temperature: 1000000 is not from -3276.8 to 3276.7 (int16)'],
        [460, 'temperature: "warm" is not a number'],
        [460, 'other: cannot be written'],
        [460, 'the payload is not an object of values'],
      ],
      'zh-CN': [
        [460, 'temperature：1000000 超出范围 -3276.8～3276.7（int16）'],
        [460, 'temperature："warm" 不是数值'],
        [460, 'other：不可写'],
        [460, 'payload 不是包含属性值的对象'],
      ],
    },
  ],
];

const boiler = { productKey: 'a1Boiler', deviceName: 'boiler-1' };
const boilers = (language: Language) =>
  new RunningOpcUaTab(generateFlow(readModelConfiguration(BOILER_HOUSE), { gateway: 'g', language }));
const OPC_UA: typeof MODBUS = [
  [
    'what is not found',
    (language) => {
      const tab = boilers(language);
      tab.send({ device: boiler, alink: { request: 'a' }, payload: { burner: 1 } });
      tab.client.at('ns=2;s=Hall 1').children.pop();
      tab.client.at('ns=2;s=Boiler 1').children.shift();
      for (let i = 0; i < 4; i++) tab.tick();
      tab.send({ device: boiler, alink: { request: 'b' }, payload: { other: 1 } });
      tab.send({ device: boiler, alink: { request: 'c', identifier: 'stir' }, payload: {} });
      return [...tab.warnings.sort(), ...tab.replies.map(({ reason }) => reason)];
    },
    {
      'en-US': [
        'a1Boiler/boiler-1: has no Temp.1',
        'a1Boiler/boiler-2: "Boiler 2" is not found on the server',
        'the device is not found on its server yet',
        'other: is not on the server',
        'the method is not found on the server',
      ],
      'zh-CN': [
        'a1Boiler/boiler-1：缺少 Temp.1',
        'a1Boiler/boiler-2：服务器上没有“Boiler 2”',
        '尚未在服务器上找到该设备',
        'other：服务器上没有对应的变量',
        '服务器上没有对应的方法',
      ],
    },
  ],
  [
    'what the server or the value does not allow',
    (language) => {
      const tab = boilers(language);
      for (let i = 0; i < 2; i++) tab.tick();
      tab.client.writeStatus = 0x803b0000;
      for (const payload of [{ burner: 1 }, { burner: 'off' }, { total: -1 }, { total: {} }]) {
        tab.send({ device: boiler, alink: { request: 'a' }, payload });
      }
      const alink = { request: 'b', identifier: 'mix' };
      tab.client.slow = true;
      tab.send({ device: boiler, alink, payload: { seconds: 1, recipe: 'A' } });
      tab.answer(tab.client.finish('One or more arguments are invalid.'));
      tab.send({ device: boiler, alink, payload: { seconds: 70_000, recipe: 'A' } });
      return tab.replies.map(({ code, reason }) => [code, reason]);
    },
    {
      'en-US': [
        [400, 'burner: the server refuses it (The access level does not allow writing to the Node.)'],
        [460, 'burner: off is neither true nor false'],
        [460, 'total: -1 is not 0–18446744073709551615'],
        [460, 'total: is no single value'],
        [400, 'the method failed (One or more arguments are invalid.)'],
        [460, 'seconds: 70000 is not 0–65535'],
      ],
      'zh-CN': [
        [400, 'burner：服务器拒绝写入（The access level does not allow writing to the Node.）'],
        [460, 'burner：off 无效，只能是 true 或 false'],
        [460, 'total：-1 超出范围 0～18446744073709551615'],
        [460, 'total：不是单个值'],
        [400, '方法执行失败（One or more arguments are invalid.）'],
        [460, 'seconds：70000 超出范围 0～65535'],
      ],
    },
  ],
  [
    'a server that refuses the login',
    (language) => {
      const tab = boilers(language);
      tab.tick();
      tab.client.connection = 'refused';
      for (let i = 0; i < 20; i++) tab.tick();
      tab.send({ device: boiler, alink: { request: 'a' }, payload: { burner: 1 } });
      return [...tab.warnings, tab.replies[0]?.reason];
    },
    {
      'en-US': ['the server: is not connected (connection error)', 'there is no connection to the server'],
      'zh-CN': ['服务器：未连接（connection error）', '未连接到服务器'],
    },
  ],
];

describe('what a generated flow says, in both languages', () => {
  for (const [title, run, expected] of [...MODBUS, ...OPC_UA]) {
    for (const language of LANGUAGES) {
      it(`${title} (${language})`, () => {
        assert.deepEqual(run(language), expected[language]);
      });
    }
  }
});
