/** Made from ../opcua.ts by scripts/function-texts.mjs. */
export const opcUaText = `var LONGEST_VALUE = 200;
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

function shortest(value) {
  for (let digits = 6; digits <= 9 && Number.isFinite(value); digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return value;
}

var TYPES = {
  1: "Boolean",
  2: "SByte",
  3: "Byte",
  4: "Int16",
  5: "UInt16",
  6: "Int32",
  7: "UInt32",
  8: "Int64",
  9: "UInt64",
  10: "Float",
  11: "Double",
  12: "String",
  13: "DateTime",
  21: "LocalizedText"
};
function isFields(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
function nodeIdText(id) {
  if (typeof id === "string") return /^ns=\\d+;[isgb]=/.test(id) ? id : void 0;
  if (!isFields(id) || id.value === void 0 || !("namespace" in id)) return void 0;
  const { identifierType, namespace, value } = id;
  const letters = { "1": "i", "2": "s", "3": "g", "4": "b" };
  const letter = letters[String(identifierType)] ?? (typeof value === "number" ? "i" : "s");
  const isText = typeof value === "string" || typeof value === "number";
  return isText ? \`ns=\${Number(namespace)};\${letter}=\${value}\` : void 0;
}
var DERIVED = {
  29: "Int32",
  290: "Double",
  294: "DateTime",
  295: "String"
};
function typeName(type) {
  if (typeof type === "string" && !type.startsWith("ns=")) return type;
  const number = typeof type === "number" ? type : Number(/^ns=0;i=(\\d+)$/.exec(nodeIdText(type) ?? "")?.[1]);
  return TYPES[number] ?? DERIVED[number];
}
function isGood(status) {
  if (status === void 0) return true;
  const value = isFields(status) ? status.value ?? status._value : status;
  return typeof value === "number" && value >>> 31 === 0;
}
function isUnknownNode(status) {
  const value = isFields(status) ? status.value ?? status._value : status;
  return typeof value === "number" && value >>> 16 === 32820;
}
function toReport(value, kind, type) {
  const plain = flatten(value, type);
  if (plain === void 0 || kind === void 0) return plain;
  if (kind === "text") return String(plain);
  return typeof plain === "number" ? Math.round(plain) : plain;
}
function flatten(value, type) {
  if (typeof value === "string") return value;
  if (typeof value === "number") {
    if (!Number.isFinite(value)) return void 0;
    return type === "Float" ? shortest(value) : value;
  }
  if (typeof value === "boolean") return Number(value);
  if (Object.prototype.toString.call(value) === "[object Date]") return String(value.getTime());
  if (isFields(value) && typeof value.text === "string") return value.text;
  return type === void 0 || type.endsWith("64") ? wholeOfHalves(value, type) : void 0;
}
function wholeOfHalves(value, type) {
  if (!Array.isArray(value) || value.length !== 2 || !value.every((half) => Number.isInteger(half)))
    return void 0;
  const bits = BigInt(value[0]) << 32n | BigInt(value[1] >>> 0);
  const whole = type === "UInt64" ? BigInt.asUintN(64, bits) : BigInt.asIntN(64, bits);
  const number = Number(whole);
  return Number.isSafeInteger(number) ? number : String(whole);
}
var RANGES = {
  SByte: [-128n, 127n],
  Byte: [0n, 255n],
  Int16: [-32768n, 32767n],
  UInt16: [0n, 65535n],
  Int32: [-(2n ** 31n), 2n ** 31n - 1n],
  UInt32: [0n, 2n ** 32n - 1n],
  Int64: [-(2n ** 63n), 2n ** 63n - 1n],
  UInt64: [0n, 2n ** 64n - 1n]
};
var GREATEST_FLOAT = 34028234663852886e22;
var LATEST_DATE = 864e13;
var BOOLEANS = { true: true, "1": true, false: false, "0": false };
function toOpcUa(value, type) {
  if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") {
    throw new SaidError(said("is no single value"));
  }
  const range = Object.hasOwn(RANGES, type) ? RANGES[type] : void 0;
  if (range !== void 0) {
    const whole = toWhole(value);
    if (whole < range[0] || whole > range[1])
      throw new SaidError(
        said("{value} is not {least}–{most}", {
          value: String(value),
          least: String(range[0]),
          most: String(range[1])
        })
      );
    return type.endsWith("64") ? String(whole) : Number(whole);
  }
  switch (type) {
    case "Boolean": {
      const text = String(value);
      const truth = Object.hasOwn(BOOLEANS, text) ? BOOLEANS[text] : void 0;
      if (truth === void 0)
        throw new SaidError(said("{value} is neither true nor false", { value: text }));
      return truth;
    }
    case "String":
    case "LocalizedText":
      return String(value);
    case "Float":
      return toFinite(value, GREATEST_FLOAT);
    case "Double":
      return toFinite(value, Number.MAX_VALUE);
    case "DateTime":
      return Math.round(toFinite(value, LATEST_DATE));
    default:
      throw new SaidError(
        type === "" ? said("values of unknown type cannot be written") : said("values of type {type} cannot be written", { type })
      );
  }
}
function toWhole(value) {
  if (typeof value === "string" && /^\\s*-?\\d{1,20}\\s*$/.test(value)) return BigInt(value);
  return BigInt(Math.round(toFinite(value, 2 ** 64)));
}
function toFinite(value, greatest) {
  const number = value === "" ? Number.NaN : Number(value);
  if (Number.isFinite(number) && Math.abs(number) <= greatest) return number;
  throw new SaidError(said("{value} is no number, or too large", { value: String(value) }));
}

function stateOf(store, { version }) {
  const value = store.get("opcUa");
  if (isFields(value) && value.version === version) return value;
  return {
    version,
    found: {},
    later: {},
    types: {},
    typesLater: 0,
    connectedAt: 0,
    subscribed: "",
    queue: [],
    number: 0,
    calls: []
  };
}
function namesAt(plan, device) {
  const [productKey = "", deviceName = ""] = plan.devices[device] ?? [];
  return { productKey, deviceName };
}
function keyAt(plan, device) {
  const { productKey, deviceName } = namesAt(plan, device);
  return \`\${productKey}/\${deviceName}\`;
}
function indexOf({ devices }, names) {
  if (!isFields(names)) return -1;
  return devices.findIndex(
    ([productKey, name]) => productKey === names.productKey && name === names.deviceName
  );
}
function modelAt(plan, device) {
  return plan.models[namesAt(plan, device).productKey] ?? { properties: [], services: [], events: [] };
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

var FORGOTTEN_AFTER_MS = 6e4;
var MOST_WAITING = 500;
function waitFor(store, { alink, device }, parts, now) {
  const waiting = kept(store, "waiting");
  for (const [i, [topic2, { since }]] of Object.entries(waiting).reverse().entries()) {
    if (now - since > FORGOTTEN_AFTER_MS || i >= MOST_WAITING - 1) delete waiting[topic2];
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
function failAll(store, failure) {
  const waiting = Object.values(kept(store, "waiting"));
  store.set("waiting", {});
  return waiting.map(({ alink, device }) => replyTo({ alink, device }, 400, failure));
}
function replyTo({ alink, device }, code, reason, payload = {}) {
  return { alink, device, payload, code, reason };
}
function inWords(reply, words) {
  return { ...reply, reason: reply.reason === void 0 ? "" : spoken(reply.reason, words) };
}

var NOT_CONNECTED = said("there is no connection to the server");
function set(plan, state, msg, store, now, outputs) {
  const device = indexOf(plan, msg.device);
  if (device === -1) return;
  const [client, , , replies] = outputs;
  const variables = state.found[keyAt(plan, device)]?.variables;
  const values = isFields(msg.payload) ? Object.entries(msg.payload) : [];
  const unknown = values.find(([identifier]) => !Object.hasOwn(variables ?? {}, identifier));
  if (state.session === false) {
    replies.push(replyTo(msg, 400, NOT_CONNECTED));
    return;
  }
  if (variables === void 0 || unknown !== void 0) {
    const reason = variables === void 0 ? said("the device is not found on its server yet") : saidAbout(unknown?.[0] ?? "", said("is not on the server"));
    replies.push(replyTo(msg, variables === void 0 ? 400 : 460, reason));
    return;
  }
  if (values.length === 0) {
    replies.push(replyTo(msg, 200, void 0));
    return;
  }
  try {
    const writes = values.map(([identifier, value]) => {
      const [topic = "", datatype = ""] = variables[identifier] ?? [];
      return { action: "write", topic, datatype, payload: toWrite(identifier, value, datatype), identifier };
    });
    const alinkWrite = waitFor(store, msg, writes.length, now);
    client.push(
      ...writes.map(({ identifier, ...write }) => ({
        ...write,
        alinkWrite: { topic: alinkWrite, identifier }
      }))
    );
  } catch (thrown) {
    replies.push(replyTo(msg, 460, saidBy(thrown)));
  }
}
function written(msg, store) {
  if (!isFields(msg.alinkWrite)) return void 0;
  const { topic, identifier } = msg.alinkWrite;
  return partDone(
    store,
    topic,
    isGood(msg.payload) ? void 0 : saidAbout(String(identifier), describe(msg.payload))
  );
}
function toWrite(identifier, value, type) {
  const converted = converting(identifier, value, type);
  return type.endsWith("64") ? { value: converted } : converted;
}
function converting(identifier, value, type) {
  try {
    return toOpcUa(value, type);
  } catch (thrown) {
    throw new SaidError(saidAbout(identifier, saidBy(thrown)));
  }
}
function describe(payload) {
  const { _description, description, _name } = isFields(payload) ? payload : {};
  const reason = _description ?? description ?? _name ?? messageOf(payload);
  return typeof reason === "string" && reason !== "" ? said("the server refuses it ({reason})", { reason }) : said("the server did not take it");
}

var TOO_LATE_AFTER_MS = 1e4;
var LOST_AFTER_MS = 6e4;
var MOST_CALLS = 50;
function call(plan, state, msg, now, outputs) {
  const device = indexOf(plan, msg.device);
  if (device === -1 || !isFields(msg.alink)) return;
  const [, , , replies] = outputs;
  const { identifier } = msg.alink;
  const found = state.found[keyAt(plan, device)];
  const service = modelAt(plan, device).services.find((candidate) => candidate.identifier === identifier);
  const method = typeof identifier === "string" && service ? found?.methods[identifier] : void 0;
  if (found === void 0 || service === void 0 || method === void 0) {
    replies.push(replyTo(msg, 400, said("the method is not found on the server")));
  } else if (state.session === false) replies.push(replyTo(msg, 400, NOT_CONNECTED));
  else if (state.calls.length >= MOST_CALLS)
    replies.push(replyTo(msg, 400, said("too many calls are waiting")));
  else {
    const [methodId, types] = method;
    try {
      const inputArguments = argumentsOf(service, types, isFields(msg.payload) ? msg.payload : {});
      const command = {
        action: "method",
        topic: methodId,
        objectId: found.objectId,
        methodId,
        inputArguments
      };
      state.calls.push({ command, device: msg.device, request: msg.alink, since: now });
      if (state.calls.length === 1) sendCall(state, outputs);
    } catch (thrown) {
      replies.push(replyTo(msg, 460, saidBy(thrown)));
    }
  }
}
function argumentsOf({ inputData }, types, given) {
  return inputData.map(({ identifier, index }) => {
    const dataType = types[index] || usualType(given[identifier]);
    return { dataType, value: toArgument(identifier, given[identifier], dataType) };
  });
}
function toArgument(identifier, value, type) {
  const converted = converting(identifier, value, type);
  return type === "DateTime" ? new Date(Number(converted)) : converted;
}
function usualType(value) {
  if (typeof value === "string") return "String";
  return Number.isInteger(value) ? "Int32" : "Double";
}
function sendCall({ calls }, [client]) {
  const [call2] = calls;
  if (call2)
    client.push({
      ...call2.command,
      payload: "",
      alinkCall: call2.since,
      device: call2.device,
      request: call2.request
    });
}
function nextCall(state, now, outputs) {
  state.calls.shift();
  state.calls = state.calls.filter(({ since }) => now - since < TOO_LATE_AFTER_MS);
  sendCall(state, outputs);
}
function forgetCall(state, now, outputs) {
  const [call2] = state.calls;
  if (call2 && hasPassed(LOST_AFTER_MS, call2.since, now)) nextCall(state, now, outputs);
}
function callFailed(state, reason, now, outputs) {
  const [call2] = state.calls;
  if (call2 === void 0) return;
  outputs[3].push(
    replyTo(
      { alink: call2.request, device: call2.device },
      400,
      said("the method failed ({reason})", { reason })
    )
  );
  nextCall(state, now, outputs);
}
function called(plan, state, msg, now, outputs) {
  const reply = replyOf(plan, msg);
  if (reply) outputs[3].push(reply);
  if (state.calls[0]?.since === msg.alinkCall) nextCall(state, now, outputs);
}
function replyOf(plan, msg) {
  const device = indexOf(plan, msg.device);
  const { request } = msg;
  if (device === -1 || !isFields(request)) return void 0;
  const service = modelAt(plan, device).services.find(({ identifier }) => identifier === request.identifier);
  const outputs = service?.outputData ?? [];
  const list = Array.isArray(msg.output) ? msg.output.map((output) => isFields(output) ? output.value : output) : outputs.length > 1 && Array.isArray(msg.payload) ? msg.payload : [msg.payload];
  const payload = {};
  for (const { identifier, index, kind } of outputs) {
    const value = toReport(list[index], kind);
    if (value !== void 0) payload[identifier] = value;
  }
  return replyTo({ alink: request, device: msg.device }, 200, void 0, payload);
}

var OBJECTS = "ns=0;i=85";
var METHOD = 4;
var VARIABLE = 2;
var OBJECT_TYPE = 8;
function readReferences(payload) {
  if (!Array.isArray(payload)) return [];
  return payload.flatMap((entry) => {
    const item = isFields(entry) && isFields(entry.item) ? entry.item : entry;
    if (!isFields(item)) return [];
    const nodeId = nodeIdText(item.nodeId);
    const { displayName, browseName, nodeClass, value, dataType } = item;
    const shown = isFields(displayName) ? displayName.text : displayName;
    const name = isFields(browseName) ? browseName.name : browseName;
    const label = typeof shown === "string" ? shown : name;
    if (nodeId === void 0 || typeof label !== "string") return [];
    const namespace = isFields(browseName) ? Number(browseName.namespaceIndex ?? 0) : 0;
    return [
      {
        nodeId,
        displayName: label,
        browseName: \`\${namespace}:\${typeof name === "string" ? name : label}\`,
        nodeClass: Number(nodeClass),
        value,
        type: typeName(dataType)
      }
    ];
  });
}
function follow(references, rest) {
  const [found] = references.filter(({ displayName }) => displayName !== "" && rest.startsWith(displayName)).filter(
    ({ displayName }) => rest.length === displayName.length || /[/.]/.test(rest[displayName.length] ?? "")
  ).sort((a, b) => b.displayName.length - a.displayName.length);
  return found && [found, rest.slice(found.displayName.length + 1)];
}
function startOf(path) {
  return path.replace(/^[/.]+/, "").replace(/^(?:Root[/.])?Objects[/.]/, "");
}
function variablesOf(references) {
  return references.filter(({ nodeClass }) => nodeClass === VARIABLE);
}
function methodsOf(references) {
  return references.filter(({ nodeClass }) => nodeClass === METHOD);
}
function typesOf(references) {
  return references.filter(({ nodeClass }) => nodeClass === OBJECT_TYPE);
}
function argumentTypes(references) {
  const found = references.find(({ browseName }) => browseName.endsWith(":InputArguments"));
  if (!Array.isArray(found?.value)) return [];
  return found.value.map((argument) => typeName(isFields(argument) ? argument.dataType : 0) ?? "");
}

var BASE_EVENT_TYPE = "ns=0;i=2041";
var SERVER_OBJECT = "ns=0;i=2253";
var SAMPLING_MS = 500;
function subscribe(state, [client]) {
  const searching = state.queue.some(({ step }) => step === "types" || step === "fields");
  const customEventFields = [...new Set(Object.values(state.types).flatMap(([, fields]) => fields))];
  const wanted = Object.keys(state.types).length === 0 ? "" : JSON.stringify(customEventFields);
  if (searching || wanted === "" || wanted === state.subscribed) return;
  if (state.subscribed !== "") {
    client.push({ action: "deletesubscription", topic: SERVER_OBJECT, payload: "" });
    return;
  }
  state.subscribed = wanted;
  client.push({
    action: "events",
    topic: SERVER_OBJECT,
    eventTypeIds: BASE_EVENT_TYPE,
    customEventFields,
    payload: SAMPLING_MS
  });
}
function event(plan, state, msg, outputs) {
  const { payload } = msg;
  if (!isFields(payload)) return;
  const ids = new Set(Object.values(payload).map(nodeIdText));
  for (const [device, [, , path]] of plan.devices.entries()) {
    const found = state.found[keyAt(plan, device)];
    if (found === void 0 || !(isSource(found, ids) || startOf(path) === payload.SourceName)) continue;
    for (const { identifier, displayName, outputData } of modelAt(plan, device).events) {
      const type = Object.hasOwn(state.types, displayName) ? state.types[displayName] : void 0;
      if (type === void 0 || !ids.has(type[0])) continue;
      const data = {};
      for (const { identifier: name, index, kind, empty } of outputData) {
        const value = toReport(payload[type[1][index] ?? ""], kind) ?? empty;
        if (value !== void 0) data[name] = value;
      }
      const names = namesAt(plan, device);
      outputs[2].push({ topic: names.deviceName, device: names, alink: { identifier }, payload: data });
    }
  }
}
function isSource({ objectId, variables }, ids) {
  return ids.has(objectId) || Object.values(variables).some(([nodeId]) => ids.has(nodeId));
}

var LOOK_AGAIN_AFTER_MS = 3e4;
var MOST_READ_AT_ONCE = 200;
var MOST_TYPES = 300;
var BASE_EVENT_TYPE2 = "ns=0;i=2041";
function tick(plan, state, now) {
  const commands = [...state.queue, ...state.sent ? [state.sent.command] : []];
  const busy = new Set(commands.map((command) => "device" in command ? command.device : void 0));
  const items = [];
  const nodeIds = [];
  for (const [device, [, , path]] of plan.devices.entries()) {
    const found = state.found[keyAt(plan, device)];
    if (found === void 0) {
      const isTime = isDue(state.later[keyAt(plan, device)] ?? 0, now);
      if (isTime && !busy.has(device))
        state.queue.push({ step: "path", device, nodeId: OBJECTS, rest: startOf(path) });
      continue;
    }
    for (const [identifier, [nodeId]] of Object.entries(found.variables)) {
      items.push([device, identifier]);
      nodeIds.push(nodeId);
    }
  }
  lookForTypes(plan, state, now);
  if (commands.some(({ step }) => step === "read")) return;
  for (let i = 0; i < items.length; i += MOST_READ_AT_ONCE) {
    const end = i + MOST_READ_AT_ONCE;
    state.queue.push({ step: "read", items: items.slice(i, end), nodeIds: nodeIds.slice(i, end) });
  }
}
function isDue(later, now) {
  return hasPassed(LOOK_AGAIN_AFTER_MS, later - LOOK_AGAIN_AFTER_MS, now);
}
function eventNames({ models }) {
  return [
    ...new Set(Object.values(models).flatMap(({ events }) => events.map(({ displayName }) => displayName)))
  ];
}
function lookForTypes(plan, state, now) {
  const missing = eventNames(plan).some((name) => !Object.hasOwn(state.types, name));
  if (!missing || !isDue(state.typesLater, now)) return;
  state.typesLater = now + LOOK_AGAIN_AFTER_MS;
  state.queue.push({ step: "types", nodeId: BASE_EVENT_TYPE2, rest: [], visited: 0 });
}
function send(state, now, [client]) {
  const command = state.queue.shift();
  if (command === void 0) return;
  state.number = (state.number + 1) % 1e9;
  state.sent = { number: state.number, command, since: now };
  const alinkStep = state.number;
  if (command.step === "read") {
    client.push({ action: "readmultiple", topic: "readmultiple", payload: [...command.nodeIds], alinkStep });
  } else client.push({ action: "browse", topic: command.nodeId, payload: "", alinkStep });
}
function lost(plan, state, store, voice, now, reason) {
  const command = state.sent?.command;
  delete state.sent;
  if (command === void 0) return;
  if (!("device" in command)) tell(store, voice, SERVER, reason);
  else missed(plan, state, command.device, store, voice, now, reason);
}
function missed(plan, state, device, store, voice, now, reason) {
  state.later[keyAt(plan, device)] = now + LOOK_AGAIN_AFTER_MS;
  tell(store, voice, keyAt(plan, device), reason);
}
function taken(plan, state, msg, store, voice, now, outputs) {
  if (state.sent === void 0 || msg.alinkStep !== state.sent.number) return;
  const { command } = state.sent;
  state.session = true;
  tell(store, voice, SERVER, void 0);
  if (command.step === "read") {
    if (!Array.isArray(msg.payload)) return;
    delete state.sent;
    outputs[1].push(...reports(plan, command.items, msg.payload, state, store));
    subscribe(state, outputs);
    return;
  }
  const references = readReferences(msg.payload);
  switch (command.step) {
    case "path": {
      const { nodeId } = command;
      const waiting = state.queue.filter((other) => other.step === "path" && other.nodeId === nodeId);
      state.queue = state.queue.filter((other) => !waiting.includes(other));
      const here = [command, ...waiting].flatMap((one) => one.step === "path" ? [one] : []);
      state.queue.unshift(...here.flatMap((one) => goOn(plan, state, one, references, store, voice, now)));
      break;
    }
    case "object":
      foundObject(plan, state, command.device, command.nodeId, references, store, voice);
      break;
    case "method": {
      const method = state.found[keyAt(plan, command.device)]?.methods[command.identifier];
      if (method) method[1] = argumentTypes(references);
      break;
    }
    case "types": {
      const wanted = new Set(eventNames(plan));
      const types = typesOf(references);
      for (const { nodeId: nodeId2, displayName } of types) {
        if (wanted.has(displayName)) state.queue.push({ step: "fields", nodeId: nodeId2, name: displayName });
      }
      const [nodeId, ...rest] = [...command.rest, ...types.map((type) => type.nodeId)];
      const visited = command.visited + 1;
      if (nodeId !== void 0 && visited < MOST_TYPES)
        state.queue.push({ step: "types", nodeId, rest, visited });
      break;
    }
    case "fields":
      state.types[command.name] = [
        command.nodeId,
        variablesOf(references).map(({ browseName }) => browseName)
      ];
      break;
  }
  delete state.sent;
  subscribe(state, outputs);
}
function goOn(plan, state, { device, rest }, references, store, voice, now) {
  const next = follow(references, rest);
  if (next === void 0) {
    missed(
      plan,
      state,
      device,
      store,
      voice,
      now,
      said('"{path}" is not found on the server', { path: rest })
    );
    return [];
  }
  const [{ nodeId }, left] = next;
  return [{ step: left === "" ? "object" : "path", device, nodeId, rest: left }];
}
function foundObject(plan, state, device, objectId, references, store, voice) {
  const model = modelAt(plan, device);
  const found = { objectId, variables: {}, methods: {} };
  const missing = [];
  for (const { identifier, displayName } of model.properties) {
    const variable = variablesOf(references).find((reference) => reference.displayName === displayName);
    if (variable === void 0) missing.push(displayName);
    else found.variables[identifier] = [variable.nodeId, variable.type ?? ""];
  }
  for (const { identifier, displayName, inputData } of model.services) {
    const method = methodsOf(references).find((reference) => reference.displayName === displayName);
    if (method === void 0) missing.push(displayName);
    else {
      found.methods[identifier] = [method.nodeId, []];
      if (inputData.length > 0)
        state.queue.push({ step: "method", device, nodeId: method.nodeId, identifier });
    }
  }
  state.found[keyAt(plan, device)] = found;
  tell(
    store,
    voice,
    keyAt(plan, device),
    missing.length > 0 ? said("has no {names}", { names: missing.join(", ") }) : void 0
  );
}
function reports(plan, items, values, state, store) {
  const reported = kept(store, "reported");
  const byDevice = /* @__PURE__ */ new Map();
  for (const [i, [device, identifier]] of items.entries()) {
    const data = values[i];
    const property = modelAt(plan, device).properties.find(
      (candidate) => candidate.identifier === identifier
    );
    const variant = isFields(data) && isGood(data.statusCode) && isFields(data.value) ? data.value : void 0;
    const type = typeName(variant?.dataType);
    const value = toReport(variant?.value, property?.kind, type);
    const key = keyAt(plan, device);
    const variable = state.found[key]?.variables[identifier];
    if (variable !== void 0 && type !== void 0) variable[1] = type;
    if (isFields(data) && isUnknownNode(data.statusCode)) forget(state, key);
    const last = { ...reported[key] };
    if (value === void 0 || Object.hasOwn(last, identifier) && last[identifier] === value) continue;
    last[identifier] = value;
    reported[key] = last;
    byDevice.set(device, { ...byDevice.get(device), [identifier]: value });
  }
  store.set("reported", reported);
  return [...byDevice].map(([device, payload]) => {
    const names = namesAt(plan, device);
    return { topic: names.deviceName, device: names, payload };
  });
}
function forget(state, key) {
  delete state.found[key];
  state.types = {};
}

var CONNECT_AGAIN_AFTER_MS = 6e4;
function isStatus({ status, endpoint }) {
  return typeof status === "string" && typeof endpoint === "string";
}
function stated(state, msg, store, voice, now, outputs) {
  const error = typeof msg.error === "string" ? msg.error : "";
  switch (msg.status) {
    case "session active":
      state.session = true;
      state.subscribed = "";
      state.calls = [];
      return;
    case "terminated":
      state.subscribed = "";
      return;
    case "execute method error":
      if (error !== "") callFailed(state, error.replace(/^.*?error: */, ""), now, outputs);
      return;
    case "invalid session":
      outputs[3].push(...failAll(store, NOT_CONNECTED));
      return;
    default:
      if (!/without OPC UA client/.test(error)) return;
      state.session = false;
      if (msg.status !== "create client")
        tell(store, voice, SERVER, said("is not connected ({status})", { status: messageOf(msg.status) }));
  }
}
function hasSession(state, now, [client]) {
  if (state.session !== false) return true;
  if (hasPassed(CONNECT_AGAIN_AFTER_MS, state.connectedAt, now)) {
    state.connectedAt = now;
    client.push({ action: "connect", topic: "connect", payload: "" });
    delete state.sent;
  }
  return false;
}

var LOST_AFTER_MS2 = 1e4;
function opcUa(plan, msg, store, node, now, words) {
  const voice = { node, words };
  const outputs = [[], [], [], []];
  if (msg.action === "readmultiple" && !Array.isArray(msg.topic)) return outputs;
  const state = stateOf(store, plan);
  dispatch(plan, state, msg, store, voice, now, outputs);
  if (state.sent !== void 0 && hasPassed(LOST_AFTER_MS2, state.sent.since, now)) {
    lost(plan, state, store, voice, now, said("does not answer"));
  }
  forgetCall(state, now, outputs);
  if (hasSession(state, now, outputs) && state.sent === void 0) send(state, now, outputs);
  store.set("opcUa", state);
  const [client, reports2, events, replies] = outputs;
  return [client, reports2, events, replies.map((reply) => inWords(reply, words))];
}
function dispatch(plan, state, msg, store, voice, now, outputs) {
  const kind = isFields(msg.alink) ? msg.alink.identifier === void 0 ? "set" : "call" : void 0;
  if (msg.alinkWrite !== void 0) {
    const reply = written(msg, store);
    if (reply) outputs[3].push(reply);
  } else if (msg.alinkCall !== void 0) called(plan, state, msg, now, outputs);
  else if (kind === "set") set(plan, state, msg, store, now, outputs);
  else if (kind === "call") call(plan, state, msg, now, outputs);
  else if (typeof msg.alinkStep === "number") taken(plan, state, msg, store, voice, now, outputs);
  else if (isStatus(msg)) stated(state, msg, store, voice, now, outputs);
  else if (msg.topic === "tick") tick(plan, state, now);
  else event(plan, state, msg, outputs);
}
`;
