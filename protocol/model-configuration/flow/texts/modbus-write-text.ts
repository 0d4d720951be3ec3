/** Made from ../modbus-write.ts by scripts/function-texts.mjs. */
export const writeText = `var LONGEST = 40;
function show(value) {
  const text = typeof value === "string" ? JSON.stringify(value) : typeof value === "object" ? typeof value : typeof value === "function" ? "function" : String(value);
  return text.length > LONGEST ? \`\${text.slice(0, LONGEST)}…\` : text;
}

var LONGEST_VALUE = 200;
function said(sentence, values = {}) {
  return { sentence, values };
}
function spoken({ sentence, values }, words = {}) {
  const text = Object.hasOwn(words, sentence) ? words[sentence] ?? sentence : sentence;
  return text.replace(/\\{(\\w+)\\}/g, (_, name) => {
    const value = values[name] ?? "";
    if (typeof value === "object") return spoken(value, words);
    const given2 = String(value);
    return given2.length > LONGEST_VALUE ? \`\${given2.slice(0, LONGEST_VALUE)}…\` : given2;
  });
}
function saidAbout(about, what) {
  return said("{about}: {what}", { about, what });
}
var SaidError = class extends Error {
  constructor(said2) {
    super(spoken(said2));
    this.said = said2;
    this.name = "SaidError";
  }
  said;
};
function saidBy(thrown) {
  return thrown instanceof SaidError ? thrown.said : said("an unexpected error: {error}", { error: String(thrown) });
}

var RegisterError = class extends SaidError {
  constructor(problem, sentence, values = {}) {
    super(said(sentence, values));
    this.problem = problem;
    this.name = "RegisterError";
  }
  problem;
};
var NUMBER_BITS = {
  int16: 16,
  uint16: 16,
  int32: 32,
  uint32: 32,
  int64: 64,
  uint64: 64,
  float: 32,
  double: 64
};

function toBytes(format, registers) {
  const taken = registers.slice(0, format.count);
  if (taken.length < format.count) {
    throw new RegisterError("badData", "{count} registers are needed, {came} came", {
      count: format.count,
      came: taken.length
    });
  }
  if (format.reverseRegister) taken.reverse();
  return taken.flatMap((register) => {
    if (typeof register !== "number" || !Number.isInteger(register) || register < 0 || register > 65535) {
      throw new RegisterError("badData", "{value} is not a register (0–65535)", { value: show(register) });
    }
    const bytes = [register >> 8, register & 255];
    return format.swap16 ? bytes.reverse() : bytes;
  });
}
function toRegisters(format, bytes) {
  const registers = Array.from({ length: format.count }, (_, i) => {
    const first = bytes[2 * i] ?? 0;
    const second = bytes[2 * i + 1] ?? 0;
    return format.swap16 ? second << 8 | first : first << 8 | second;
  });
  return format.reverseRegister ? registers.reverse() : registers;
}
function unsignedOf(bytes) {
  return bytes.reduce((sum, byte) => sum << 8n | BigInt(byte), 0n);
}
function bytesOf(value, count) {
  return Array.from({ length: count }, (_, i) => Number(value >> BigInt(8 * (count - 1 - i)) & 0xffn));
}
function bitsToNumber(format, bits) {
  if (bits.length < format.count) {
    throw new RegisterError("badData", "{count} coils are needed, {came} came", {
      count: format.count,
      came: bits.length
    });
  }
  return bits.slice(0, format.count).reduce((sum, bit, i) => {
    if (bit !== true && bit !== false && bit !== 0 && bit !== 1) {
      throw new RegisterError("badData", "{value} is not a coil", { value: show(bit) });
    }
    return bit ? sum | 1n << BigInt(i) : sum;
  }, 0n);
}
function shiftOf(mask) {
  let shift = 0n;
  while (mask !== 0n && (mask >> shift & 1n) === 0n) shift++;
  return shift;
}

var LONGEST_TEXT = 800;
var LARGEST_EXPONENT = 400;
var DECIMAL = /^\\s*([+-]?)(\\d*)(?:\\.(\\d*))?(?:[eE]([+-]?\\d{1,4}))?\\s*$/;
function parseDecimal(text) {
  if (text.length > LONGEST_TEXT) return void 0;
  const [, sign = "", whole = "", fraction = "", power = "0"] = DECIMAL.exec(text) ?? [];
  if (whole === "" && fraction === "") return void 0;
  if (Math.abs(Number(power)) > LARGEST_EXPONENT) return void 0;
  const digits = BigInt(whole + fraction);
  return { digits: sign === "-" ? -digits : digits, exponent: Number(power) - fraction.length };
}
function multiply(a, b) {
  return { digits: a.digits * b.digits, exponent: a.exponent + b.exponent };
}
var QUOTIENT_DIGITS = 60;
function divide(a, b) {
  const digits = a.digits * 10n ** BigInt(QUOTIENT_DIGITS) / b.digits;
  return { digits, exponent: a.exponent - b.exponent - QUOTIENT_DIGITS };
}
function divideRounded(a, b) {
  const shift = a.exponent - b.exponent;
  const top = a.digits * 10n ** BigInt(Math.max(shift, 0));
  const bottom = b.digits * 10n ** BigInt(Math.max(-shift, 0));
  const size = (2n * absolute(top) + absolute(bottom)) / (2n * absolute(bottom));
  return top < 0n === bottom < 0n ? size : -size;
}
function toNumber({ digits, exponent }) {
  return Number(\`\${digits}e\${exponent}\`);
}
function absolute(value) {
  return value < 0n ? -value : value;
}

function scalingOf(scaling) {
  const decimal = parseDecimal(String(scaling));
  if (decimal === void 0 || decimal.digits === 0n) {
    throw new RegisterError("badFormat", "{scaling} is no scaling", { scaling });
  }
  return decimal;
}

function encodeRegisters(format, value, current) {
  const { type, count } = format;
  if (format.bits) {
    const number = withMask(format, value, count, () => bitsToNumber(format, given(current)));
    return Array.from({ length: count }, (_, i) => (number >> BigInt(i) & 1n) === 1n);
  }
  switch (type) {
    case "float":
    case "double":
      return toRegisters(format, floatBytes(format, value));
    case "string":
      return toRegisters(format, fill(textBytes(value), 2 * count));
    case "customized data":
      return toRegisters(format, fill(hexBytes(value), 2 * count));
    default: {
      const before = () => unsignedOf(toBytes(format, given(current)));
      return toRegisters(format, bytesOf(withMask(format, value, 16 * count, before), 2 * count));
    }
  }
}
function given(current) {
  if (current !== void 0) return current;
  throw new RegisterError(
    "currentMissing",
    "the other bits of the register are not known yet; it must be read first"
  );
}
function withMask(format, value, width, before) {
  const { bitMask } = format;
  const whole = (1n << BigInt(width)) - 1n;
  if (bitMask === void 0) return rawOf(format, value, whole);
  const mask = BigInt(bitMask) & whole;
  const raw = format.type === "bool" && readBool(value) ? mask : rawOf(format, value, mask >> shiftOf(mask)) << shiftOf(mask);
  return before() & (whole ^ mask) | raw;
}
function rawOf(format, value, most) {
  const { type, scaling = 1, bits, bitMask } = format;
  if (type === "bool") return readBool(value) ? 1n : 0n;
  const raw = divideRounded(readDecimal(value), scalingOf(scaling));
  const signed = type.startsWith("int") && bits === void 0 && bitMask === void 0;
  const high = signed ? most >> 1n : most;
  const low = signed ? -high - 1n : 0n;
  if (raw >= low && raw <= high) return raw;
  const [least, largest] = [low, high].map(
    (edge) => multiply({ digits: edge, exponent: 0 }, scalingOf(scaling))
  );
  const ends = [least, largest].map((edge) => edge === void 0 ? 0 : toNumber(edge)).sort((a, b) => a - b);
  throw new RegisterError("outOfRange", "{value} is not from {least} to {most} ({type})", {
    value: show(value),
    least: ends[0] ?? 0,
    most: ends[1] ?? 0,
    type
  });
}
function floatBytes({ type, scaling = 1 }, value) {
  const decimal = readDecimal(value);
  const number = toNumber(scaling === 1 ? decimal : divide(decimal, scalingOf(scaling)));
  const bits = NUMBER_BITS[type] ?? 64;
  const stored = bits === 32 ? Math.fround(number) : number;
  if (!Number.isFinite(stored))
    throw new RegisterError("outOfRange", "{value} is too large for {type}", { value: show(value), type });
  const view = new DataView(new ArrayBuffer(bits / 8));
  if (bits === 32) view.setFloat32(0, stored);
  else view.setFloat64(0, stored);
  return Array.from({ length: bits / 8 }, (_, i) => view.getUint8(i));
}
function textBytes(value) {
  if (typeof value !== "string" && typeof value !== "number") {
    throw new RegisterError("notText", "{value} is not text", { value: show(value) });
  }
  try {
    const escaped = encodeURIComponent(String(value));
    return (escaped.match(/%..|[^%]/g) ?? []).map(
      (part) => part.length === 3 ? Number.parseInt(part.slice(1), 16) : part.charCodeAt(0)
    );
  } catch {
    throw new RegisterError("notText", "the text has half a character (a lone surrogate)");
  }
}
function hexBytes(value) {
  if (typeof value !== "string" || !/^(?:0x)?(?:[0-9a-f]{2})*$/i.test(value)) {
    throw new RegisterError("notHex", "{value} is not hexadecimal text with two digits a byte", {
      value: show(value)
    });
  }
  return (value.replace(/^0x/i, "").match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16));
}
function fill(bytes, length) {
  if (bytes.length <= length) return [...bytes, ...Array.from({ length: length - bytes.length }, () => 0)];
  throw new RegisterError("tooLong", "{bytes} bytes do not fit into {registers} registers", {
    bytes: bytes.length,
    registers: length / 2
  });
}
function readBool(value) {
  if (value === true || value === 1 || value === "1" || value === "true" || value === 1n) return true;
  if (value === false || value === 0 || value === "0" || value === "false" || value === 0n) return false;
  throw new RegisterError("notBool", "{value} is neither 0 nor 1", { value: show(value) });
}
function readDecimal(value) {
  const text = typeof value === "boolean" ? String(Number(value)) : typeof value === "string" ? value : void 0;
  const written = text ?? (typeof value === "number" || typeof value === "bigint" ? String(value) : "");
  const decimal = parseDecimal(written);
  if (decimal === void 0)
    throw new RegisterError("notNumber", "{value} is not a number", { value: show(value) });
  return decimal;
}

function writeRequest({ fc, address, format }, unitid, value, current) {
  const data = encodeRegisters(format, value, current);
  const [first = 0] = data;
  return { fc, unitid, address, quantity: format.count, value: fc === 5 || fc === 6 ? first : data };
}

function deviceKey({ productKey, deviceName }) {
  return \`\${productKey}/\${deviceName}\`;
}
function kept(store, name) {
  const value = store.get(name);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  const fresh = {};
  store.set(name, fresh);
  return fresh;
}
function hasPassed(ms, since, now) {
  const waited = now - since;
  return waited < 0 || waited >= ms;
}
function messageOf(error) {
  const message = typeof error === "object" && error !== null && "message" in error ? error.message : error;
  return typeof message === "string" ? message : "";
}

var LOST_AFTER_MS = 1e4;
var MOST_WAITING = 500;
function addBitWrites(store, device, added, now) {
  const all = kept(store, "bits");
  const key = deviceKey(device);
  const waiting = (all[key] ?? []).filter(({ since }) => !hasPassed(LOST_AFTER_MS, since, now));
  if (waiting.length + added.length > MOST_WAITING)
    throw new SaidError(said("too many values wait to be written"));
  const fresh = added.map((one) => {
    const id = \`bits/\${key}/\${now}/\${Math.random().toString(36).slice(2)}\`;
    return { ...one, id, device, isRead: false, since: now };
  });
  all[key] = [...waiting, ...fresh];
  store.set("bits", all);
  const [first] = fresh;
  return waiting.length === 0 && first !== void 0 ? readOf(first) : void 0;
}
function bitWriteOf(store, topic) {
  const [kind, productKey = "", deviceName = ""] = typeof topic === "string" ? topic.split("/") : [];
  if (kind !== "bits") return void 0;
  const first = kept(store, "bits")[deviceKey({ productKey, deviceName })]?.[0];
  return first?.id === topic ? first : void 0;
}
function bitWriteDone(store, { device }) {
  const all = kept(store, "bits");
  const key = deviceKey(device);
  const left = (all[key] ?? []).slice(1);
  if (left.length === 0) delete all[key];
  else all[key] = left;
  store.set("bits", all);
  return left[0];
}
function readOf({ id, device, unit, write: write2 }) {
  const { readFc, address, format } = write2;
  return { topic: id, device, payload: { fc: readFc, unitid: unit, address, quantity: format.count } };
}

var FORGOTTEN_AFTER_MS = 6e4;
var MOST_WAITING2 = 500;
function waitFor(store, { alink, device }, parts, now) {
  const waiting = kept(store, "waiting");
  for (const [i, [topic2, { since }]] of Object.entries(waiting).reverse().entries()) {
    if (now - since > FORGOTTEN_AFTER_MS || i >= MOST_WAITING2 - 1) delete waiting[topic2];
  }
  const topic = \`write/\${now}/\${Math.random().toString(36).slice(2)}\`;
  waiting[topic] = { alink, device, left: parts, since: now };
  store.set("waiting", waiting);
  return topic;
}
function partDone(store, topic, failure) {
  const waiting = kept(store, "waiting");
  const request = typeof topic === "string" && Object.hasOwn(waiting, topic) ? waiting[topic] : void 0;
  if (request === void 0 || typeof topic !== "string") return void 0;
  request.left -= 1;
  if (failure !== void 0) request.failure ??= failure;
  if (request.left <= 0) delete waiting[topic];
  store.set("waiting", waiting);
  if (request.left > 0) return void 0;
  return replyTo(
    { alink: request.alink, device: request.device },
    request.failure === void 0 ? 200 : 400,
    request.failure
  );
}
function replyTo({ alink, device }, code, reason, payload = {}) {
  return { alink, device, payload, code, reason };
}
function inWords(reply, words) {
  return { ...reply, reason: reply.reason === void 0 ? "" : spoken(reply.reason, words) };
}

function write(plan, msg, store, now, words) {
  const [writes, read, reply] = next(plan, msg, store, now);
  return [writes, read, reply && inWords(reply, words)];
}
function next(plan, msg, store, now) {
  if (msg.alink !== void 0) return set(plan, msg, store, now);
  const isFailure = msg.payload === "" || msg.error !== void 0;
  const failure = isFailure ? failureOf(messageOf(msg.error)) : void 0;
  const bits = bitWriteOf(store, msg.topic);
  if (bits === void 0) return [[], void 0, partDone(store, msg.topic, failure)];
  return continueBits(bits, msg.payload, failure, store);
}
function failureOf(reason) {
  if (/timed?\\s*out/i.test(reason)) return said("the device does not answer ({reason})", { reason });
  if (/not ready|not open|queue cleared|inactive client/i.test(reason)) {
    return said("there is no connection to the server ({reason})", { reason });
  }
  return reason === "" ? said("the device did not take it") : said("the device refuses ({reason})", { reason });
}
function set(plan, msg, store, now) {
  const { productKey, deviceName } = msg.device ?? {};
  const found = plan.devices.find(([key, name]) => key === productKey && name === deviceName);
  if (found === void 0) return [[], void 0, void 0];
  const device = { productKey: found[0], deviceName: found[1] };
  try {
    const parts = partsOf(plan.writes[found[0]] ?? [], found[2], msg.payload);
    if (parts.length === 0) return [[], void 0, replyTo(msg, 200, void 0)];
    const topic = waitFor(store, msg, parts.length, now);
    const whole = parts.flatMap(({ request, bits: bits2 }) => bits2 ? [] : [{ topic, device, payload: request }]);
    const bits = parts.flatMap((part) => part.bits ? [{ ...part.bits, topic }] : []);
    const read = bits.length > 0 ? addBitWrites(store, device, bits, now) : void 0;
    return [whole, read, void 0];
  } catch (thrown) {
    return [[], void 0, replyTo(msg, 460, saidBy(thrown))];
  }
}
function partsOf(writes, unit, payload) {
  if (typeof payload !== "object" || payload === null || Array.isArray(payload)) {
    throw new SaidError(said("the payload is not an object of values"));
  }
  return Object.entries(payload).map(([identifier, value]) => {
    const planned = writes.find((candidate) => candidate.identifier === identifier);
    if (planned === void 0) throw new SaidError(saidAbout(identifier, said("cannot be written")));
    const { count, bits, bitMask } = planned.format;
    try {
      if (bitMask === void 0) return { request: writeRequest(planned, unit, value) };
      const nothing = Array.from({ length: count }, () => bits ? false : 0);
      return { request: writeRequest(planned, unit, value, nothing), bits: { write: planned, unit, value } };
    } catch (thrown) {
      throw new SaidError(saidAbout(identifier, saidBy(thrown)));
    }
  });
}
function continueBits(bits, payload, failure, store) {
  const { write: planned, unit, value, device, isRead, id } = bits;
  if (failure === void 0 && !isRead) {
    try {
      const request = writeRequest(planned, unit, value, payload);
      bits.isRead = true;
      return [[{ topic: id, device, payload: request }], void 0, void 0];
    } catch (thrown) {
      return endBits(bits, saidAbout(planned.identifier, saidBy(thrown)), store);
    }
  }
  return endBits(bits, failure, store);
}
function endBits(bits, failure, store) {
  const next2 = bitWriteDone(store, bits);
  return [[], next2 && readOf(next2), partDone(store, bits.topic, failure)];
}
`;
