/** What is said of a model configuration document in Chinese, by the English sentence. */
export const CHINESE_PROBLEMS = {
  '{more} more problems': '另有 {more} 个问题',
  'is not a list': '不是列表',
  'has {length} entries, only the first {most} are read': '有 {length} 项，只读取前 {most} 项',
  'is not an object': '不是对象',
  'is not text of 1–{longest} characters': '不是 1–{longest} 个字符的文本',
  '{value} is not from {least} to {most}; {assumed} is taken':
    '{value} 超出范围 {least}～{most}，按 {assumed} 处理',
  '{value} is not a whole number from {least} to {most}; {assumed} is taken':
    '{value} 不是 {least}～{most} 的整数，按 {assumed} 处理',
  '"{name}" is there twice; the first one counts': '“{name}”重复，以第一个为准',
  'is not a productKey': '不是有效的 productKey',
  '{value} is not a productKey': '{value} 不是有效的 productKey',
  '{value} is not a {name}': '{value} 不是有效的 {name}',
  '{reason}': '物模型有误：{reason}',
  '"{owner}" and "{serverId}" have the port {port}; only one can open it':
    '“{owner}”和“{serverId}”使用同一串口 {port}，只有一个能打开',
  '{value} is not one of {choices}': '{value} 不在可选值 {choices} 之中',
  '{value} is not one of {choices}; {strictest} is taken':
    '{value} 不在可选值 {choices} 之中，按 {strictest} 处理',
  '{count} from {address} on end beyond 65535': '从地址 {address} 起的 {count} 个超出了 65535',
  '{value} is not an address from 0x0 to 0xFFFF': '{value} 不是 0x0–0xFFFF 的地址',
  '{value} has no 0x; {address} is taken': '{value} 没有 0x 前缀，按 {address} 处理',
  '{value} is not a type of registers': '{value} 不是寄存器的数据类型',
  'coils cannot hold {type}': '线圈不能存放 {type}',
  '{type} takes {fixed}, not {count}; {fixed} is taken':
    '{type} 占 {fixed} 个而不是 {count} 个寄存器，按 {fixed} 处理',
  '{value} is not a number other than 0; 1 is taken': '{value} 不是非零数值，按 1 处理',
  '{value} is not a mask of {width} bits for {type}; none is taken':
    '{value} 不是 {type} 的 {width} 位掩码，按无掩码处理',
  '{count} registers are more than the {most} that can be written at once; it is only read':
    '{count} 个寄存器超出单次写入上限 {most}，只读取',
  '{value} does not write {count} of {operateType}; {usual} is taken':
    '{value} 不能写入 {count} 个 {operateType}，按 {usual} 处理',
  '{value} is not 1–50 of A–Z, a–z, 0–9 and _': '{value} 不是 1–50 个字母、数字或下划线',
  '"{identifier}" has the index {index} of another one': '“{identifier}”的索引 {index} 与其他项重复',
  '{value} is neither TCP nor RTU': '{value} 既不是 TCP 也不是 RTU',
  '{value} is not an address': '{value} 不是有效的地址',
  '{value} is not N, O or E; no parity is taken': '{value} 不是 N、O 或 E，按无校验处理',
  '{value} does not begin with opc.tcp://; it is kept as it is': '{value} 不以 opc.tcp:// 开头，原样保留',
  'is not text; none is taken': '不是文本，按无密码处理',
  'the devices before it have as many properties as there may be': '在它之前的设备已达到属性总数上限',
  'there is no server "{serverId}"': '没有服务器“{serverId}”',
  'there is no model of "{productKey}"': '没有产品“{productKey}”的模型',
  'is missing; the server is one of OPC UA': '缺少该字段，OPC UA 服务器下的设备必须填写',
  'is not 0–{most}; the server is one of Modbus': '不在 0–{most} 之内，Modbus 服务器下的设备必须填写',
  'the model of "{productKey}" has nothing for OPC UA': '产品“{productKey}”的模型中没有 OPC UA 内容',
  'the model of "{productKey}" has nothing for Modbus': '产品“{productKey}”的模型中没有 Modbus 内容',
} as const;
