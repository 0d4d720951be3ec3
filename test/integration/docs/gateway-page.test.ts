import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'mocha';
import { DEFAULT_LIMITS } from '../../../emulator/options';
import { explainCode, LIMITS } from '../../../protocol';
import { GATEWAY_CODES } from '../../../protocol/result-codes/gateway';

const page = readFileSync(join(resolve(__dirname, '..', '..', '..'), 'docs', 'gateway.md'), 'utf8');
const rows = [...page.matchAll(/^\| (.*) \|$/gm)].map(([, row = '']) => row.split(' | '));
/** Of requests that no sub-device's state shows: an unreadable topic, a bad name among what was found. */
const OF_REQUESTS = [6203, 6280];

describe('docs/gateway.md', () => {
  it('explains every code of gateways, and none that does not exist', () => {
    const named = rows
      .filter(([state = '']) => /^`(offline|refused|conflict)`$/.test(state))
      .flatMap(([, codes = '']) => [...codes.matchAll(/\d+/g)].map(([code]) => Number(code)));
    assert.ok(named.length > 10);
    for (const code of named) assert.ok(explainCode(code), `${code} is no code`);
    const missing = GATEWAY_CODES.map(([code]) => code).filter((code) => !named.includes(code));
    assert.deepEqual(missing.sort(), OF_REQUESTS);
  });

  it('has the limits that the emulator and the SDK have', () => {
    const limit = (name: string) => rows.find(([first]) => first === name)?.[1] ?? `no row ${name}`;
    const { subDevicesPerGateway, onlineSubDevicesPerGateway, loginsPerMinute, loginsPerSecond } =
      DEFAULT_LIMITS;
    const number = (value: number) => value.toLocaleString('en-US');
    assert.match(limit('Sub-devices of a gateway'), new RegExp(`^${number(subDevicesPerGateway)}\\b`));
    assert.equal(limit('of them online'), number(onlineSubDevicesPerGateway));
    assert.match(limit('Logins of one sub-device'), new RegExp(`^${loginsPerMinute} a minute`));
    assert.match(limit('Logins of all'), new RegExp(`^${loginsPerSecond} a second`));
    const { loginBatch, subRegisterBatch } = DEFAULT_LIMITS;
    assert.equal(limit('In one login, one registration'), `${loginBatch}, ${subRegisterBatch}`);
    const { subDevicesPerPack, propertiesPerPost, eventsPerPack, mqttPayloadBytes } = LIMITS;
    assert.equal(
      limit('In one pack'),
      `${subDevicesPerPack} sub-devices, ${propertiesPerPost} properties, ${eventsPerPack} events, ${mqttPayloadBytes / 1024} KB`,
    );
  });
});
