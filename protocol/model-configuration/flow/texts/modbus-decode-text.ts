/** Made from ../modbus-decode.ts by scripts/function-texts.mjs. */
export const decodeText = `var LONGEST = 40;
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
    const given = String(value);
    return given.length > LONGEST_VALUE ? \`\${given.slice(0, LONGEST_VALUE)}…\` : given;
  });
}
function saidAbout(about, what) {
  return said("{about}: {what}", { about, what });
}
function saidTogether(list) {
  const [first, ...rest] = list;
  return first && rest.reduce((one, other) => said("{one}; {other}", { one, other }), first);
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
function unsignedOf(bytes) {
  return bytes.reduce((sum, byte) => sum << 8n | BigInt(byte), 0n);
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
function wholeOf({ digits, exponent }) {
  if (exponent >= 0) return digits * 10n ** BigInt(exponent);
  const unit = 10n ** BigInt(-exponent);
  return digits % unit === 0n ? digits / unit : void 0;
}
function toNumber({ digits, exponent }) {
  return Number(\`\${digits}e\${exponent}\`);
}

function shortest(value) {
  for (let digits = 6; digits <= 9 && Number.isFinite(value); digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return value;
}

function decodeRegisters(format, data) {
  if (format.bits) return decodeNumber(format, bitsToNumber(format, data));
  const bytes = toBytes(format, data);
  switch (format.type) {
    case "float":
    case "double":
      return decodeFloat(format, bytes);
    case "string":
      return decodeText(bytes);
    case "customized data":
      return bytes.map(hex).join("");
    default:
      return decodeNumber(format, unsignedOf(bytes));
  }
}
function decodeNumber(format, unsigned) {
  const { type, bitMask, bits } = format;
  const mask = bitMask === void 0 ? void 0 : BigInt(bitMask);
  const raw = mask === void 0 ? unsigned : (unsigned & mask) >> shiftOf(mask);
  if (type === "bool") return raw === 0n ? 0 : 1;
  const signed = type.startsWith("int") && mask === void 0 && !bits;
  return scale(signed ? BigInt.asIntN(NUMBER_BITS[type] ?? 64, raw) : raw, format.scaling ?? 1);
}
function scale(raw, scaling) {
  if (scaling === 1) return plain(raw);
  const product = multiply({ digits: raw, exponent: 0 }, scalingOf(scaling));
  const whole = wholeOf(product);
  return whole === void 0 ? toNumber(product) : plain(whole);
}
function plain(whole) {
  const number = Number(whole);
  return Number.isSafeInteger(number) ? number : String(whole);
}
function decodeFloat({ type, scaling = 1 }, bytes) {
  const view = new DataView(Uint8Array.from(bytes).buffer);
  const value = type === "float" ? shortest(view.getFloat32(0)) : view.getFloat64(0);
  if (!Number.isFinite(value)) throw new RegisterError("badData", "the registers hold {value}", { value });
  if (scaling === 1) return value;
  const decimal = parseDecimal(String(value));
  const scaled = decimal === void 0 ? value * scaling : toNumber(multiply(decimal, scalingOf(scaling)));
  if (!Number.isFinite(scaled))
    throw new RegisterError("badData", "{value} × {scaling} is no number", { value, scaling });
  return scaled;
}
function decodeText(bytes) {
  const end = bytes.indexOf(0);
  const used = end === -1 ? bytes : bytes.slice(0, end);
  try {
    return decodeURIComponent(used.map((byte) => \`%\${hex(byte)}\`).join(""));
  } catch {
    throw new RegisterError("badData", "the registers hold no UTF-8 text");
  }
}
function hex(byte) {
  return byte.toString(16).padStart(2, "0");
}
function scalingOf(scaling) {
  const decimal = parseDecimal(String(scaling));
  if (decimal === void 0 || decimal.digits === 0n) {
    throw new RegisterError("badFormat", "{scaling} is no scaling", { scaling });
  }
  return decimal;
}

function readAll({ values, quantity }, data) {
  const reading = {};
  if (!Array.isArray(data)) {
    return [
      reading,
      [said("{quantity} registers or coils were asked for, something else came", { quantity })]
    ];
  }
  if (data.length < quantity) {
    const came = data.length;
    return [reading, [said("{quantity} registers or coils were asked for, {came} came", { quantity, came })]];
  }
  const problems = [];
  for (const { identifier, offset, format, kind } of values) {
    try {
      const part = data.slice(offset, offset + format.count);
      reading[identifier] = asKind(decodeRegisters(format, part), kind);
    } catch (thrown) {
      problems.push(saidAbout(identifier, saidBy(thrown)));
    }
  }
  return [reading, problems];
}
function asKind(value, kind) {
  if (kind === "text") return String(value);
  return kind === "whole" && typeof value === "number" ? Math.round(value) : value;
}
function changedValues({ values: planned }, values, last) {
  const changed = {};
  for (const { identifier, onChange } of planned) {
    const value = Object.hasOwn(values, identifier) ? values[identifier] : void 0;
    if (value === void 0) continue;
    const before = Object.hasOwn(last, identifier) ? last[identifier] : void 0;
    if (onChange && before === value) continue;
    changed[identifier] = value;
    last[identifier] = value;
  }
  return changed;
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
var SERVER = "the server";
function tell(store, { node, words }, key, what) {
  const told = kept(store, "told");
  const text = what === void 0 ? "" : spoken(what, words);
  const about = (name, problem2) => spoken(saidAbout(name === SERVER ? said(SERVER) : name, problem2), words);
  if ((told[key] ?? "") === text) return;
  if (text === "") delete told[key];
  else told[key] = text;
  store.set("told", told);
  if (text !== "") node.warn(about(key, text));
  const [problem] = Object.entries(told);
  if (problem === void 0) node.status({ fill: "green", shape: "dot", text: "" });
  else node.status({ fill: "yellow", shape: "ring", text: about(...problem).slice(0, 80) });
}
function messageOf(error) {
  const message = typeof error === "object" && error !== null && "message" in error ? error.message : error;
  return typeof message === "string" ? message : "";
}

var FIRST_WAIT_MS = 5e3;
var LONGEST_WAIT_MS = 6e4;
var SILENT_AFTER_MS = 1e4;
var NO_ANSWER = /timed?\\s*out|exception 1[01]\\b/i;
var EXCEPTION = /exception/i;
function answered(store, voice, device, now) {
  const absent = kept(store, "absent");
  delete absent[device];
  store.set("absent", absent);
  store.set("answeredAt", now);
  tell(store, voice, SERVER, void 0);
  tell(store, voice, device, void 0);
}
function failed(store, voice, { device, about, error, now }) {
  const reason = messageOf(error);
  const isException = EXCEPTION.test(reason);
  if (isException) store.set("answeredAt", now);
  if (NO_ANSWER.test(reason)) {
    const absent = kept(store, "absent");
    const wait = absent[device]?.wait ?? FIRST_WAIT_MS;
    absent[device] = { until: now + wait, wait: Math.min(2 * wait, LONGEST_WAIT_MS) };
    store.set("absent", absent);
    tell(store, voice, device, said("does not answer ({reason})", { reason }));
    return "noAnswer";
  }
  if (isException) {
    tell(store, voice, about, said("refuses ({reason})", { reason }));
    return "refused";
  }
  const since = store.get("answeredAt");
  if (typeof since !== "number") store.set("answeredAt", now);
  else if (now - since > SILENT_AFTER_MS && kept(store, "told")[SERVER] === void 0) {
    tell(
      store,
      voice,
      SERVER,
      reason === "" ? said("is not reached") : said("is not reached ({reason})", { reason })
    );
  }
  return "notReached";
}

function hasCome(store, topic, isDone) {
  const polling = pollingOf(store);
  if (polling.asked === topic) polling.asked = "";
  if (isDone) polling.due = polling.due.filter((request) => request.topic !== topic);
  store.set("polling", polling);
}
function pollingOf(store) {
  return store.get("polling") ?? { due: [], asked: "", since: 0 };
}

function decode({ reads }, msg, store, node, now, words) {
  if (isFailedReport(msg)) {
    forgetReported(store, msg.device);
    return [void 0, void 0];
  }
  const topic = typeof msg.topic === "string" ? msg.topic : "";
  const [productKey = "", deviceName = "", index = ""] = topic.split("/");
  const read = Object.hasOwn(reads, productKey) ? reads[productKey]?.[Number(index)] : void 0;
  let report;
  let failure;
  if (read !== void 0) {
    const device = { productKey, deviceName };
    const voice = { node, words };
    const { fc, address: first, quantity } = read;
    const place = { device: deviceKey(device), fc, first, last: first + quantity - 1 };
    const about = spoken(said("{device} (fc {fc}, {first}–{last})", place), words);
    if (Array.isArray(msg.payload)) {
      answered(store, voice, deviceKey(device), now);
      const [values, problems] = readAll(read, msg.payload);
      tell(store, voice, about, saidTogether(problems));
      const payload = toReport(read, topic, values, store);
      if (Object.keys(payload).length > 0) report = { topic: deviceName, device, payload };
    } else {
      failure = failed(store, voice, { device: deviceKey(device), about, error: msg.error, now });
    }
  }
  hasCome(store, topic, failure === void 0 || failure === "refused");
  return [report, failure === "notReached" ? void 0 : { payload: "next" }];
}
function toReport(read, topic, values, store) {
  const reported = kept(store, "reported");
  const last = { ...reported[topic] };
  const changed = changedValues(read, values, last);
  reported[topic] = last;
  store.set("reported", reported);
  return changed;
}
function isFailedReport({ error }) {
  return typeof error === "object" && error !== null && "source" in error;
}
function forgetReported(store, device) {
  const reported = kept(store, "reported");
  const prefix = \`\${deviceKey(device ?? {})}/\`;
  for (const topic of Object.keys(reported)) {
    if (topic.startsWith(prefix)) delete reported[topic];
  }
  store.set("reported", reported);
}
`;
