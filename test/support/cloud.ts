import Iot from '@alicloud/iot20180120';
import { Config } from '@alicloud/openapi-client';
import type { Emulator } from '../../emulator';

// The SDK is CommonJS with a default export of its own.
const Client = (Iot as unknown as { default?: typeof Iot }).default ?? Iot;

/** The vendor's cloud SDK on an emulator without access keys of its own. */
export function cloudClient(emulator: Emulator): Iot {
  return new Client(
    new Config({
      accessKeyId: 'emulator',
      accessKeySecret: 'emulator',
      endpoint: new URL(emulator.httpUrl).host,
      protocol: 'http',
      regionId: 'cn-shanghai',
    }),
  );
}
