/**
 * What the vendor's C SDK sends as the gateway of the tests' plant: written down while it ran against the emulator, built
 * from its own source. It is no package that this project could install.
 */

/** Version 4.1.0: its sub-devices log in with a plain clientId. No message has a method. */
export const C_SDK_4_1 = {
  clientId:
    'a1Plant.gateway-1|timestamp=2524608000000,_ss=1,_v=sdk-c-4.1.0,securemode=3,signmethod=hmacsha256,ext=3,_conn=tls_0|',
  password: 'D45B76C35410D06F074CC1098B04EC2272B175FC7776661E0930CAD973C27513',
  /** It takes no id of its own here, but that of the message before, and none when it is the first. */
  firstTopoGet: '{"id":"","version":"1.0","params":"{}"}',
  topoAdd:
    '{"id":"3","version":"1.0","params":[{"productKey":"a1Lamps","deviceName":"lamp-1","clientId":"a1Lamps.lamp-1","timestamp":"1795255050381","signmethod":"hmacSha256","sign":"A057414AFD7956FB9C1CC9378E932F5602A2E8864C42AC14B842657DECB9AD7D"},{"productKey":"a1Lamps","deviceName":"lamp-2","clientId":"a1Lamps.lamp-2","timestamp":"1795255050381","signmethod":"hmacSha256","sign":"6276185C8FCC3540EB19F89D42E6A8B8A116DBD7C1070F5E64C35642A6F4D7A8"}]}',
  topoGet: '{"id":"3","version":"1.0","params":"{}"}',
  topoDelete: '{"id":"11","version":"1.0","params":[{"productKey":"a1Lamps","deviceName":"lamp-1"}]}',
  subRegister:
    '{"id":"1","version":"1.0","params":[{"productKey":"a1Lamps","deviceName":"lamp-1"},{"productKey":"a1Lamps","deviceName":"lamp-2"}]}',
  productRegister:
    '{"id":"2","version":"1.0","params":{"proxieds":[{"productKey":"a1Lamps","deviceName":"lamp-1","random":"28E2A89C0483CD0AF030","signMethod":"hmacSha256","sign":"72DEDA1DA96472ECD51DA6B1D5BA65C107580234E3757FB26C140F06FBFC2384"},{"productKey":"a1Lamps","deviceName":"lamp-2","random":"770D8C0A23572CF67CD8","signMethod":"hmacSha256","sign":"6D152733CAF4F755DF78572F5DBCB10FF3C6F2ED6A27AC680F2DDB7848556EF3"}]}}',
  batchLogin:
    '{"id":"4","version":"1.0","params":{"signMethod":"hmacSha256","deviceList":[{"productKey":"a1Lamps","deviceName":"lamp-1","clientId":"a1Lamps.lamp-1","timestamp":"1795255050984","cleanSession":"false","sign":"4739D054B7CE9C80244E94FEB169FF0786B6B6B6FF64C268439EC792F31D4C71"},{"productKey":"a1Lamps","deviceName":"lamp-2","clientId":"a1Lamps.lamp-2","timestamp":"1795255050984","cleanSession":"false","sign":"D4651608DCE061E996445F00EF50467FB0C47E51ACC4C8A550253570C0AE4822"}]}}',
  batchLogout:
    '{"id":"9","version":"1.0","params":[{"productKey":"a1Lamps","deviceName":"lamp-1"},{"productKey":"a1Lamps","deviceName":"lamp-2"}]}',
  propertyPost: '{"id":"5","version":"1.0","params":{"level":7},"sys":{"ack":1}}',
  eventPost: '{"id":"6","version":"1.0","params":{"level":9},"sys":{"ack":1}}',
  batchPost:
    '{"id":"8","version":"1.0","params":{"properties":{"level":[{"value":1,"time":1524448722000}]}},"sys":{"ack":1}}',
  desiredGet: '{"id":"7","version":"1.0","params":["level"],"sys":{"ack":1}}',
};

/** Version 4.2.0: parameters stand behind the clientId of a login, and the whole text is signed. */
export const C_SDK_4_2 = {
  clientId:
    'a1Plant.gateway-1|timestamp=2524608000000,_ss=1,_v=sdk-c-4.2.0,securemode=3,signmethod=hmacsha256,ext=3,_conn=tcp_0|',
  password: 'D45B76C35410D06F074CC1098B04EC2272B175FC7776661E0930CAD973C27513',
  topoAdd:
    '{"id":"4","version":"1.0","params":[{"productKey":"a1Lamps","deviceName":"lamp-1","clientId":"a1Lamps.lamp-1","timestamp":"1795255056092","signmethod":"hmacSha256","sign":"CECC8966FD6C67B4A9897AD17CB88D84E46F4AA12E83070CAF5BDCE3D51BF76B"},{"productKey":"a1Lamps","deviceName":"lamp-2","clientId":"a1Lamps.lamp-2","timestamp":"1795255056092","signmethod":"hmacSha256","sign":"C2E651AB9238D0836EE489AC259494B0F3E54DAE375D9F2797085110CA5D5F01"}]}',
  topoGet: '{"id":"5","version":"1.0","params":"{}"}',
  topoDelete: '{"id":"13","version":"1.0","params":[{"productKey":"a1Lamps","deviceName":"lamp-1"}]}',
  subRegister:
    '{"id":"2","version":"1.0","params":[{"productKey":"a1Lamps","deviceName":"lamp-1"},{"productKey":"a1Lamps","deviceName":"lamp-2"}]}',
  productRegister:
    '{"id":"3","version":"1.0","params":{"proxieds":[{"productKey":"a1Lamps","deviceName":"lamp-1","random":"041A94C2373F5ED4F27A","signMethod":"hmacSha256","sign":"54653C65BFF48B9284D3BEC02278F8B69D56BF7E6B1500F750F3AD8EB111A037"},{"productKey":"a1Lamps","deviceName":"lamp-2","random":"613F77BB549E310DE798","signMethod":"hmacSha256","sign":"EFBB8B812690BA969F9A65E2E85283264D6C91C2455CF11E13E852FF20B0E123"}]}}',
  batchLogin:
    '{"id":"6","version":"1.0","params":{"signMethod":"hmacSha256","deviceList":[{"productKey":"a1Lamps","deviceName":"lamp-1","clientId":"a1Lamps.lamp-1|_ss=1,_v=sdk-c-4.1.0|","timestamp":"1795255056693","cleanSession":"false","sign":"ED54A4710FF8A3E3F51DA2816CA0ABC4D8638C667C6CB2F25321778C1E6C084A"},{"productKey":"a1Lamps","deviceName":"lamp-2","clientId":"a1Lamps.lamp-2|_ss=1,_v=sdk-c-4.1.0|","timestamp":"1795255056693","cleanSession":"false","sign":"40D4113B4EAB7A191A1B0CFF9EFC121A720C850B11D5BAD0CBA4F0D4A8CC41FA"}]}}',
  batchLogout:
    '{"id":"11","version":"1.0","params":[{"productKey":"a1Lamps","deviceName":"lamp-1"},{"productKey":"a1Lamps","deviceName":"lamp-2"}]}',
  propertyPost: '{"id":"7","version":"1.0","params":{"level":7},"sys":{"ack":1}}',
  eventPost: '{"id":"8","version":"1.0","params":{"level":9},"sys":{"ack":1}}',
  batchPost:
    '{"id":"10","version":"1.0","params":{"properties":{"level":[{"value":1,"time":1524448722000}]}},"sys":{"ack":1}}',
  desiredGet: '{"id":"9","version":"1.0","params":["level"],"sys":{"ack":1}}',
};
