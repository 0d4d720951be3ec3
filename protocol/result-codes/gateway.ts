import type { CodeRow } from './types';

/** Topology and sessions of sub-devices (C.3). */
export const GATEWAY_CODES: readonly CodeRow[] = [
  [
    427,
    'slow',
    'the same device logged in elsewhere: look for a duplicate',
    '设备在其他地方登录，当前会话被踢下线：请检查是否有重复设备',
  ],
  [428, 'no', 'too many sub-devices are online on this gateway', '网关下在线子设备数超过上限'],
  [
    429,
    'slow',
    'too many logins: at most 5 a minute for one sub-device',
    '子设备登录过于频繁：单个子设备每分钟最多 5 次',
    ['session', 'topology'],
  ],
  [
    520,
    'login',
    'the sub-device has no session here: log it in again',
    '子设备会话不存在：请重新登录子设备',
    ['session'],
  ],
  [521, 'no', 'the device was deleted', '设备已被删除'],
  [522, 'no', 'the device is disabled: enable it in the console', '设备已被禁用：请在控制台启用'],
  [6203, 'no', 'the topic could not be read', 'Topic 解析失败'],
  [6204, 'no', 'the device is disabled: enable it in the console', '设备已被禁用：请在控制台启用'],
  [
    6280,
    'no',
    'the deviceName breaks the rule: 4–32 letters, digits or - _ @ . :',
    '设备名称不合法：4–32 位字母、数字或 - _ @ . :',
  ],
  [6287, 'no', "the sub-device's signature is wrong: check its secret", '子设备签名错误：请检查子设备密钥'],
  [6400, 'no', 'the gateway may have no more sub-devices', '网关下子设备数量达到上限'],
  [6401, 'no', 'the sub-device is not in the topology: add it first', '拓扑关系不存在：请先添加拓扑关系'],
  [6402, 'no', 'a gateway cannot be its own sub-device', '网关不能作为自己的子设备'],
];
