import type { CodeRow } from './types';

/** OTA and files (C.5). */
export const FILE_CODES: readonly CodeRow[] = [
  [1000, 'none', 'success', '成功', ['ota']],
  [500, 'no', 'there is no upgrade for this device', '设备没有待升级任务', ['ota']],
  [9112, 'slow', 'the device could not be looked up', '查询设备信息失败'],
  [78117, 'no', 'the file is larger than 16 MB', '文件超过 16 MB'],
  [78118, 'no', 'the block is larger than 128 KB', '分片超过 128 KB'],
  [
    78119,
    'slow',
    'the offset is another than the platform holds: resume there',
    '分片偏移与平台不一致：请从平台返回的偏移继续',
  ],
  [78120, 'no', 'the block is smaller than 256 bytes', '分片小于 256 字节'],
  [78121, 'slow', 'the CRC of the block is wrong: send it again', '分片 CRC 校验失败：请重发'],
  [78122, 'no', 'the upload is unknown or has expired: start again', '上传任务不存在或已过期：请重新发起'],
  [78123, 'no', 'a file of this name exists', '同名文件已存在'],
  [78124, 'no', 'the upload is finished already', '上传任务已完成'],
  [78125, 'no', 'the check of the whole file failed: start over', '文件完整性校验失败：请重新上传'],
  [78126, 'no', 'the upload was started twice', '重复的上传任务'],
  [78127, 'slow', 'uploads are throttled', '文件上传被限流'],
];
