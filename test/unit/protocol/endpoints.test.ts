import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import {
  authUrl,
  deviceConnect,
  formatClientId,
  iotTokenConnect,
  mqttEndpoint,
  openApiEndpoint,
  type Platform,
  parseClientId,
  SESSION_PARAMETERS,
  TRANSPORTS,
} from '../../../protocol';
import { hmac, sameSign } from '../../../protocol/hmac';

const PK = 'a1B2c3D4e5F';
const urls = (platform: Platform) => TRANSPORTS.map((transport) => mqttEndpoint(platform, PK, transport).url);

describe('endpoints', () => {
  it('of a public instance: both kinds of TCP on 1883', () => {
    const platform: Platform = { kind: 'public', region: 'eu-central-1' };
    const host = `${PK}.iot-as-mqtt.eu-central-1.aliyuncs.com`;
    assert.deepEqual(urls(platform), [
      `mqtts://${host}:1883`,
      `mqtt://${host}:1883`,
      `wss://${host}:443`,
      `ws://${host}:443`,
    ]);
    assert.equal(authUrl(platform), 'https://iot-auth.eu-central-1.aliyuncs.com');
    assert.deepEqual(openApiEndpoint(platform), {
      protocol: 'https',
      endpoint: 'iot.eu-central-1.aliyuncs.com',
    });
  });

  it('of an enterprise instance: TLS on 8883', () => {
    const platform: Platform = { kind: 'instance', region: 'cn-shanghai', instanceId: 'iot-060a0001' };
    const host = 'iot-060a0001.mqtt.iothub.aliyuncs.com';
    assert.deepEqual(urls(platform), [
      `mqtts://${host}:8883`,
      `mqtt://${host}:1883`,
      `wss://${host}:443`,
      `ws://${host}:443`,
    ]);
  });

  it('of a private platform, with an IPv6 address too', () => {
    const platform: Platform = { kind: 'custom', host: 'fd00::1', ports: { tcp: 2883 } };
    assert.deepEqual(urls(platform), [
      'mqtts://[fd00::1]:8883',
      'mqtt://[fd00::1]:2883',
      'wss://[fd00::1]:443',
      'ws://[fd00::1]:80',
    ]);
    assert.equal(authUrl(platform), 'https://[fd00::1]');
    assert.deepEqual(openApiEndpoint(platform), { protocol: 'https', endpoint: '[fd00::1]' });
    assert.equal(mqttEndpoint(platform, PK, 'tls', 9).port, 9);
    assert.equal(authUrl({ kind: 'custom', host: 'h', httpUrl: 'https://h:8443//' }), 'https://h:8443');
  });

  it('of an emulator: only doors that are open', () => {
    const platform: Platform = {
      kind: 'emulator',
      host: '127.0.0.1',
      ports: { ws: 5 },
      httpUrl: 'http://127.0.0.1:6',
    };
    assert.deepEqual(mqttEndpoint(platform, PK, 'ws'), {
      protocol: 'ws',
      host: '127.0.0.1',
      port: 5,
      path: '/mqtt',
      url: 'ws://127.0.0.1:5',
    });
    assert.throws(() => mqttEndpoint(platform, PK, 'tls'), RangeError);
    assert.deepEqual(openApiEndpoint(platform), { protocol: 'http', endpoint: '127.0.0.1:6' });
  });
});

describe('CONNECT', () => {
  const identity = { productKey: PK, deviceName: 'sensor-01' };

  it('writes the parameters of a session and reads them back', () => {
    const { clientId } = deviceConnect(hmac, {
      ...identity,
      deviceSecret: 'secret',
      signMethod: 'hmacsha256',
      secure: true,
      parameters: SESSION_PARAMETERS,
    });
    assert.equal(clientId, `${PK}.sensor-01|securemode=2,signmethod=hmacsha256,_ss=1,ext=1,lan=NodeJS|`);
    assert.deepEqual(
      [...parseClientId(clientId).parameters.keys()],
      ['securemode', 'signmethod', '_ss', 'ext', 'lan'],
    );
  });

  it('leaves parameters without a value out, and keeps to 64 characters', () => {
    assert.equal(formatClientId('x', { a: undefined, b: 0 }), 'x|b=0|');
    const long = { productKey: 'p'.repeat(60), deviceName: 'd'.repeat(60) };
    const { clientId } = iotTokenConnect(long, { iotId: 'i', iotToken: 't' });
    assert.equal(parseClientId(clientId).clientId.length, 64);
  });

  it('after HTTPS authentication: the token is the password and nothing is signed (A.8)', () => {
    assert.deepEqual(iotTokenConnect(identity, { iotId: 'the-id', iotToken: 'the-token' }), {
      clientId: `${PK}.sensor-01|securemode=2|`,
      username: 'the-id',
      password: 'the-token',
    });
  });

  it('compares signatures without regard to case', () => {
    assert.ok(sameSign('AB12', 'ab12'));
    assert.ok(!sameSign('ab12', 'ab13'));
    assert.ok(!sameSign('ab1', 'ab12'));
  });
});
