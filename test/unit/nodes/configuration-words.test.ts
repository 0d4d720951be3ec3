import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { explainError } from '../../../nodes/shared/runtime-messages';
import { StatusLine } from '../../../nodes/shared/status';
import type { Json } from '../../../protocol';
import { AlinkError } from '../../../sdk';
import { parseDocument } from '../../../sdk/configuration/document';
import { readConfigurationOffer } from '../../../sdk/configuration/offer';
import type { HttpsRule } from '../../../sdk/https/error';
import { speaking } from '../../support/language';

const OFFER = {
  configId: 'c1',
  configSize: 5,
  sign: 'ab'.repeat(32),
  signMethod: 'Sha256',
  url: 'https://x/',
};
const BROKEN_OFFERS: readonly Json[] = [
  [],
  { ...OFFER, configId: '' },
  { ...OFFER, configSize: -1 },
  { ...OFFER, url: 5 },
  { ...OFFER, signMethod: 'Md5' },
  { ...OFFER, sign: 'x' },
];
const BROKEN_DOCUMENTS: readonly Buffer[] = [
  Buffer.from('{'),
  Buffer.from([0x22, 0xff, 0x22]),
  Buffer.from('['.repeat(100)),
];
/** Each reason of a failed download, with whatever it names. */
const HTTPS: Readonly<Record<HttpsRule, string>> = {
  httpsAddress: '',
  httpsNeeded: '',
  httpsHost: '',
  httpsNowhere: '',
  httpsRedirects: '7',
  httpsProxy: '',
  httpsProxyFailed: '7',
  httpsStalled: '7',
  httpsCut: '',
};
const OTHERS: Readonly<Record<string, Readonly<Record<string, string | number>>>> = {
  httpsDns: { host: 'a.example' },
  httpsUnreachable: { host: 'a.example', port: 443, why: 'ECONNREFUSED' },
  httpsTls: { host: 'a.example', why: 'CERT' },
  httpsSilent: { host: 'a.example', port: 443, seconds: 10 },
  documentSize: { size: 11, expected: 12 },
  documentDigest: {},
  documentSlow: { seconds: 30 },
  documentStatus: { status: 503 },
  documentPacked: {},
  modelDocument: {},
  replaced: {},
  gaveWay: {},
};

function errorOf(read: () => unknown): AlinkError {
  try {
    read();
  } catch (thrown) {
    assert.ok(thrown instanceof AlinkError, String(thrown));
    return thrown;
  }
  throw new Error('it can be read');
}

const ERRORS: readonly AlinkError[] = [
  ...BROKEN_OFFERS.map((offer) => errorOf(() => readConfigurationOffer(offer))),
  ...BROKEN_DOCUMENTS.map((bytes) => errorOf(() => parseDocument(bytes))),
  ...Object.entries(HTTPS).map(([rule, value]) => notLoaded(rule, { value })),
  ...Object.entries(OTHERS).map(([rule, values]) => notLoaded(rule, values)),
];

function notLoaded(rule: string, values: Readonly<Record<string, string | number>>): AlinkError {
  return new AlinkError('configurationNotLoaded', 'x', {
    details: { ...values, rule, reason: 'in English' },
  });
}

describe('words of configurations that cannot be used', () => {
  for (const language of ['en-US', 'zh-CN']) {
    const RED = speaking(language);

    it(`${language}: each reason in this language, with what it names`, () => {
      const said = ERRORS.map((error) => {
        const text = explainError(RED, error);
        const { reason, rule, ...values } = error.details;
        assert.equal(typeof rule, 'string', error.message);
        assert.doesNotMatch(text, /__|undefined|in English/, text);
        if (language === 'zh-CN') assert.ok(!text.includes(String(reason)), text);
        if (error.key === 'configurationNotLoaded')
          for (const value of Object.values(values)) assert.ok(text.includes(String(value)), text);
        return text;
      });
      assert.equal(new Set(said).size, ERRORS.length);
    });

    it(`${language}: the status of what is loaded again names when and why`, () => {
      const shown: string[] = [];
      const line = new StatusLine(RED, {
        status: ({ text = '' }: { text?: string }) => shown.push(text),
      } as unknown as ConstructorParameters<typeof StatusLine>[1]);
      line.session({ name: 'online', waiting: 0 });
      line.loadingAgain(notLoaded('documentStatus', { status: 503 }), 1500);
      line.close();
      assert.match(shown.at(-1) ?? '', /2.*503/);
    });
  }
});
