/**
 * A script in the manner of those that products have. Frames: a command, a 4-byte id, then the values. 0 report
 * (temperature ×10 as int16, light), 1 set (light), 2 answer to a report (code / 100), 3 answer to a set (code / 100),
 * 4 event (temperature), 5 service (level), 6 answer to a service (code / 100, level).
 */
export const LAMP_SCRIPT = `
var REPORT = 0x00, SET = 0x01, REPORT_REPLY = 0x02, SET_REPLY = 0x03, EVENT = 0x04, SERVICE = 0x05, SERVICE_REPLY = 0x06;

function rawDataToProtocol(bytes) {
  var array = new Uint8Array(bytes.length);
  for (var i = 0; i < bytes.length; i++) array[i] = bytes[i] & 0xff;
  var view = new DataView(array.buffer, 0);
  var message = { id: '' + view.getUint32(1), version: '1.0' };
  switch (array[0]) {
    case REPORT:
      message.method = 'thing.event.property.post';
      message.params = { temperature: view.getInt16(5) / 10, light: array[7] };
      break;
    case EVENT:
      message.method = 'thing.event.overheated.post';
      message.params = { value: { temperature: view.getInt16(5) / 10 } };
      break;
    case SET_REPLY:
      message.code = '' + array[5] * 100;
      message.data = {};
      break;
    case SERVICE_REPLY:
      message.code = array[5] * 100;
      message.data = { level: array[6] };
      break;
  }
  return message;
}

function protocolToRawData(json) {
  var id = +json.id;
  var frame = [0, (id >>> 24) & 0xff, (id >>> 16) & 0xff, (id >>> 8) & 0xff, id & 0xff];
  if (json.method === 'thing.service.property.set') {
    frame[0] = SET;
    return frame.concat(json.params.light);
  }
  if (json.method === 'thing.service.dim' || json.method === 'thing.service.dimNow') {
    frame[0] = SERVICE;
    return frame.concat(json.params.level);
  }
  frame[0] = REPORT_REPLY;
  return frame.concat(json.code === 200 ? 2 : 0);
}

function transformPayload(topic, bytes) {
  return { topic: topic, sum: bytes.reduce(function (sum, byte) { return sum + byte; }, 0) };
}
`;
