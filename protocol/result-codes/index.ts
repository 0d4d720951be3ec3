import { isOperationName, operation } from '../catalogue';
import type { Operation } from '../catalogue/types';
import { FILE_CODES } from './files';
import { GATEWAY_CODES } from './gateway';
import { PLATFORM_CODES } from './platform';
import { THING_CODES } from './thing';
import type { CodeExplanation, CodeRow } from './types';

export * from './types';

/** Codes that a device may use for its own errors (C.1). */
export const DEVICE_CODES = { min: 100_000, max: 110_000 } as const;

/** Every known code; the same number may stand more than once with different purposes. */
export const RESULT_CODES: readonly CodeExplanation[] = [
  ...PLATFORM_CODES,
  ...GATEWAY_CODES,
  ...THING_CODES,
  ...FILE_CODES,
].map(([code, retry, en, zh, purposes]: CodeRow) => ({
  code,
  retry,
  en,
  zh,
  ...(purposes ? { purposes } : {}),
}));

const BY_CODE = new Map<number, CodeExplanation[]>();
for (const row of RESULT_CODES) BY_CODE.set(row.code, [...(BY_CODE.get(row.code) ?? []), row]);

/**
 * Explains a result code (section C).
 * @param operationName decides where the same number means different things
 * @returns undefined for a number that no source names
 */
export function explainCode(code: number, operationName?: string): CodeExplanation | undefined {
  if (Number.isInteger(code) && code >= DEVICE_CODES.min && code <= DEVICE_CODES.max) {
    return { code, retry: 'no', en: "an error of the device's own", zh: '设备自定义错误' };
  }
  const entry =
    operationName !== undefined && isOperationName(operationName) ? operation(operationName) : undefined;
  const rows = BY_CODE.get(code) ?? [];
  return rows.find((row) => isFor(row, entry)) ?? rows.find((row) => row.purposes === undefined) ?? rows[0];
}

// A purpose is shared by operations of which not every one can answer so: 500 means "no upgrade" for one of them.
function isFor({ code, purposes }: CodeExplanation, entry: Operation | undefined): boolean {
  return entry !== undefined && purposes?.includes(entry.purpose) === true && entry.codes.includes(code);
}

/** What the return codes of CONNACK mean on this platform (A.5). */
export const CONNACK_CODES: Readonly<Record<number, { en: string; zh: string }>> = {
  0: { en: 'accepted', zh: '连接成功' },
  1: { en: 'the MQTT version is not supported', zh: '不支持的 MQTT 协议版本' },
  2: {
    en: 'the client id or its parameters are refused',
    zh: '客户端 ID 或其参数被拒绝',
  },
  3: {
    en: 'the platform refused the device: check productKey, deviceName and the address, or the token',
    zh: '平台拒绝该设备：请检查 ProductKey、DeviceName、接入地址或 token',
  },
  4: { en: 'user name or password is wrong: check the secret', zh: '用户名或密码错误：请检查设备密钥' },
  5: {
    en: 'not authorized: the device is disabled or belongs to another instance or region',
    zh: '未授权：设备被禁用，或不属于该实例或地域',
  },
};

/** @returns undefined for a code that MQTT 3.1.1 does not have */
export function explainConnack(returnCode: number): { en: string; zh: string } | undefined {
  return CONNACK_CODES[returnCode];
}
