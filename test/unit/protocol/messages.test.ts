import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import {
  EnvelopeError,
  formatReply,
  formatRequest,
  identityProblem,
  MessageIds,
  newDeviceNameProblem,
  parseCertificate,
  parseClientId,
  parseMqttUsername,
  parseReply,
  parseRequest,
} from '../../../protocol';

describe('envelope', () => {
  it('keeps the JSON type of the id', () => {
    assert.equal(parseRequest('{"id":5,"params":{}}').id, 5);
    assert.equal(parseRequest('{"id":"5"}').id, '5');
    assert.equal(JSON.parse(formatReply(5, 200, {})).id, 5);
    assert.equal(JSON.parse(formatReply('5', 200, {})).id, '5');
  });

  it('is as tolerant as section J says', () => {
    for (const params of ['', ',"params":"{}"', ',"params":null', ',"params":{}']) {
      assert.deepEqual(parseRequest(`{"id":"1"${params}}`).params, {});
    }
    assert.equal(parseRequest('{"id":"1","sys":{"ack":0}}').wantsReply, false);
    for (const sys of ['{}', '{"ack":1}', '{"ack":null}', '{"ack":""}', '{"ack":[]}', '"x"']) {
      assert.equal(parseRequest(`{"id":"1","sys":${sys}}`).wantsReply, true, sys);
    }
    assert.equal(parseReply('{"id":"1","code":"200"}').code, 200);
    assert.equal(parseReply('{"id":"1","code":200,"data":""}').data, '');
    // As C SDK 4 asks for the topology before anything else.
    assert.equal(parseRequest('{"id":"","version":"1.0","params":"{}"}').id, '');
    assert.throws(() => parseRequest('{"version":"1.0","params":"{}"}'), EnvelopeError);
    assert.throws(() => parseRequest('{"id":null,"params":"{}"}'), EnvelopeError);
    assert.equal(
      parseRequest('{"id":"1|exp-topic|/sys/a/b/thing/event/property/post_reply"}').id.toString().slice(0, 2),
      '1|',
    );
  });

  it('writes a request that reads back', () => {
    const request = parseRequest(formatRequest('7', 'thing.event.property.post', '{"a":1.0}'));
    assert.deepEqual(request, {
      id: '7',
      version: '1.0',
      method: 'thing.event.property.post',
      params: { a: 1 },
      wantsReply: true,
    });
  });

  it('throws nothing but its own error, whatever comes', () => {
    const payloads = fc.oneof(fc.uint8Array(), fc.string(), fc.json(), fc.constant('['.repeat(100_000)));
    fc.assert(
      fc.property(payloads, (payload) => {
        for (const parse of [parseRequest, parseReply]) {
          try {
            parse(payload);
          } catch (error) {
            assert.ok(error instanceof EnvelopeError, String(error));
          }
        }
      }),
    );
    assert.throws(() => parseRequest(`{"id":"1","params":${'['.repeat(50)}${']'.repeat(50)}}`), /nested/);
  });
});

describe('message ids', () => {
  it('count up from the clock and wrap below 2^32', () => {
    const ids = new MessageIds((2 ** 32 - 2) / 10);
    const first = Number(ids.next());
    assert.ok(first >= 2 ** 32 - 12);
    const all = Array.from({ length: 30 }, () => Number(ids.next()));
    assert.ok(all.every((id) => id >= 0 && id < 2 ** 32));
    assert.ok(all.includes(0));
    assert.equal(new Set(all).size, 30);
  });
});

describe('identity', () => {
  it('refuses only what breaks topics and signatures', () => {
    assert.equal(identityProblem('温度计-01'), undefined);
    for (const bad of ['a&b', 'a|b', 'a/b', 'a+b', 'a#b', 'a b', 'a\n', 'a,b', 'a=b']) {
      assert.equal(identityProblem(bad), 'badCharacter', bad);
    }
    assert.equal(identityProblem(''), 'empty');
    assert.equal(identityProblem('x'.repeat(65)), 'tooLong');
  });

  it('knows the rule for new devices', () => {
    assert.equal(newDeviceNameProblem('abc'), 'tooShort');
    assert.equal(newDeviceNameProblem('a-b_c@d.e:1'), undefined);
    assert.equal(newDeviceNameProblem('x'.repeat(33)), 'tooLong');
    assert.equal(newDeviceNameProblem('温度计温度'), 'badCharacter');
  });

  it('reads user names and client ids back', () => {
    assert.deepEqual(parseMqttUsername('dn&pk'), { deviceName: 'dn', productKey: 'pk' });
    assert.equal(parseMqttUsername('dn'), undefined);
    const { clientId, parameters } = parseClientId('12|securemode=3, signmethod=hmacsha1,_ss=1|');
    assert.equal(clientId, '12');
    assert.equal(parameters.get('signmethod'), 'hmacsha1');
    assert.equal(parameters.get('_ss'), '1');
    fc.assert(fc.property(fc.string(), (text) => parseClientId(text).clientId.length <= text.length));
  });

  it('reads a pasted certificate in the forms that consoles give', () => {
    const expected = { productKey: 'a1B2c3D4e5F', deviceName: 'sensor-01', deviceSecret: '0123456789abcdef' };
    for (const text of [
      JSON.stringify(
        { ProductKey: 'a1B2c3D4e5F', DeviceName: 'sensor-01', DeviceSecret: '0123456789abcdef' },
        null,
        2,
      ),
      'ProductKey: a1B2c3D4e5F\nDeviceName: sensor-01\nDeviceSecret: 0123456789abcdef',
      'ProductKey\ta1B2c3D4e5F\nDeviceName\tsensor-01\nDeviceSecret\t0123456789abcdef\n',
      'ProductKey：a1B2c3D4e5F DeviceName：sensor-01 DeviceSecret：0123456789abcdef',
      'const char *product_key = "a1B2c3D4e5F";\nchar *device_name = "sensor-01";\nchar *device_secret = "0123456789abcdef";',
    ]) {
      assert.deepEqual(parseCertificate(text), expected, text);
    }
    const cases: Array<[string, object]> = [
      ['nothing here', {}],
      ['the DeviceName and the DeviceSecret', {}],
      // Labels and values on lines of their own, as copied from a page; the secret is masked there.
      [
        'ProductKey\na1B2\n复制\nDeviceName\nsensor-01\nDeviceSecret\n********\n查看',
        { productKey: 'a1B2', deviceName: 'sensor-01' },
      ],
      [
        '设备名称：sensor-01\n设备密钥：abc\n实例ID：iot-1',
        { deviceName: 'sensor-01', deviceSecret: 'abc', instanceId: 'iot-1' },
      ],
      ['DeviceSecret:\nProductKey: a1', { productKey: 'a1' }],
      ['{"ProductKey":"","DeviceName":"x","foo":"y"}', { deviceName: 'x' }],
      ['DeviceName: deviceName1234', { deviceName: 'deviceName1234' }],
      ['DeviceName=a:b-c', { deviceName: 'a:b-c' }],
      ['#define PRODUCT_KEY "a1"', { productKey: 'a1' }],
      ['char g_device_secret[IOTX_DEVICE_SECRET_LEN + 1] = "s1";', { deviceSecret: 's1' }],
      [
        '{"iotInstanceId":"iot-1","productSecret":"p","regionId":"cn-shanghai"}',
        {
          instanceId: 'iot-1',
          productSecret: 'p',
          region: 'cn-shanghai',
        },
      ],
    ];
    for (const [text, fields] of cases) assert.deepEqual(parseCertificate(text), fields, text);
    fc.assert(fc.property(fc.string(), (text) => typeof parseCertificate(text) === 'object'));
  });
});
