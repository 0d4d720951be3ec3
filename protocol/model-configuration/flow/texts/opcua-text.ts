/** Made from ../opcua.ts by scripts/function-texts.mjs. */
export const opcUaText = `var TYPES = {
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
function typeName(type) {
  if (typeof type === "string" && !type.startsWith("ns=")) return type;
  const number = typeof type === "number" ? type : Number(/^ns=0;i=(\\d+)$/.exec(nodeIdText(type) ?? "")?.[1]);
  return TYPES[number];
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
function toReport(value, kind) {
  const plain = flatten(value);
  if (plain === void 0 || kind === void 0) return plain;
  if (kind === "text") return String(plain);
  return typeof plain === "number" ? Math.round(plain) : plain;
}
function flatten(value) {
  if (typeof value === "string") return value;
  if (typeof value === "number") return Number.isFinite(value) ? value : void 0;
  if (typeof value === "boolean") return Number(value);
  if (Object.prototype.toString.call(value) === "[object Date]") return String(value.getTime());
  if (isFields(value) && typeof value.text === "string") return value.text;
  if (!Array.isArray(value) || value.length !== 2 || !value.every((half) => Number.isInteger(half)))
    return void 0;
  const whole = BigInt.asIntN(64, BigInt(value[0]) << 32n | BigInt(value[1] >>> 0));
  const number = Number(whole);
  return Number.isSafeInteger(number) ? number : String(whole);
}
function toOpcUa(value, type) {
  switch (type) {
    case "Boolean":
      return value === true || value === 1 || value === "1" || value === "true";
    case "Int64":
    case "UInt64": {
      const whole = BigInt(typeof value === "string" ? value : Math.round(Number(value)));
      return { value: [Number(whole >> 32n & 0xffffffffn), Number(whole & 0xffffffffn)] };
    }
    case "String":
    case "LocalizedText":
      return String(value);
    case "Float":
    case "Double":
      return Number(value);
    default:
      return Math.round(Number(value));
  }
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
    if (nodeId === void 0 || typeof shown !== "string" && typeof name !== "string") return [];
    const namespace = isFields(browseName) ? Number(browseName.namespaceIndex ?? 0) : 0;
    return [
      {
        nodeId,
        displayName: String(shown ?? name),
        browseName: \`\${namespace}:\${String(name ?? shown)}\`,
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

function stateOf(store, { version }) {
  const value = store.get("opcUa");
  if (isFields(value) && value.version === version) return value;
  return {
    version,
    found: {},
    later: {},
    types: {},
    typesLater: 0,
    subscribedAt: Number.NEGATIVE_INFINITY,
    queue: [],
    number: 0
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
function tell(store, node, key, text) {
  const told = kept(store, "told");
  if ((told[key] ?? "") === text) return;
  if (text === "") delete told[key];
  else told[key] = text;
  store.set("told", told);
  if (text !== "") node.warn(\`\${key}: \${text}\`);
  const [problem] = Object.entries(told);
  if (problem === void 0) node.status({ fill: "green", shape: "dot", text: "" });
  else node.status({ fill: "yellow", shape: "ring", text: problem.join(": ").slice(0, 80) });
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
  waiting[topic] = { alink, device, left: parts, reason: "", since: now };
  store.set("waiting", waiting);
  return topic;
}
function partDone(store, topic, reason) {
  const waiting = kept(store, "waiting");
  const request = typeof topic === "string" && Object.hasOwn(waiting, topic) ? waiting[topic] : void 0;
  if (request === void 0 || typeof topic !== "string") return void 0;
  request.left -= 1;
  request.reason ||= reason;
  if (request.left <= 0) delete waiting[topic];
  store.set("waiting", waiting);
  if (request.left > 0) return void 0;
  return replyTo(
    { alink: request.alink, device: request.device },
    request.reason === "" ? 200 : 400,
    request.reason
  );
}
function replyTo({ alink, device }, code, reason, payload = {}) {
  return { alink, device, payload, code, reason };
}

function set(plan, state, msg, store, now, outputs) {
  const device = indexOf(plan, msg.device);
  if (device === -1) return;
  const [client, , , replies] = outputs;
  const variables = state.found[keyAt(plan, device)]?.variables;
  const values = isFields(msg.payload) ? Object.entries(msg.payload) : [];
  const unknown = values.find(([identifier]) => !Object.hasOwn(variables ?? {}, identifier));
  if (variables === void 0 || unknown !== void 0) {
    const reason = variables === void 0 ? "the device is not found on its server yet" : \`\${unknown?.[0]}: is not on the server\`;
    replies.push(replyTo(msg, variables === void 0 ? 400 : 460, reason));
    return;
  }
  if (values.length === 0) {
    replies.push(replyTo(msg, 200, ""));
    return;
  }
  try {
    const writes = values.map(([identifier, value]) => {
      const [topic = "", datatype = ""] = variables[identifier] ?? [];
      return { action: "write", topic, datatype, payload: toOpcUa(value, datatype) };
    });
    const alinkWrite = waitFor(store, msg, writes.length, now);
    client.push(...writes.map((write) => ({ ...write, alinkWrite })));
  } catch (thrown) {
    replies.push(replyTo(msg, 460, messageOf(thrown)));
  }
}
function call(plan, state, msg, [client, , , replies]) {
  const device = indexOf(plan, msg.device);
  if (device === -1 || !isFields(msg.alink)) return;
  const { identifier } = msg.alink;
  const found = state.found[keyAt(plan, device)];
  const service = modelAt(plan, device).services.find((candidate) => candidate.identifier === identifier);
  const method = typeof identifier === "string" && service ? found?.methods[identifier] : void 0;
  if (found === void 0 || service === void 0 || method === void 0) {
    replies.push(replyTo(msg, 400, "the method is not found on the server"));
    return;
  }
  const [methodId, types] = method;
  const given = isFields(msg.payload) ? msg.payload : {};
  try {
    const inputArguments = service.inputData.map(({ identifier: name, index }) => {
      const dataType = types[index] || usualType(given[name]);
      return { dataType, value: toArgument(given[name], dataType) };
    });
    client.push({
      action: "method",
      topic: methodId,
      objectId: found.objectId,
      methodId,
      inputArguments,
      payload: "",
      alinkCall: true,
      device: msg.device,
      request: msg.alink
    });
  } catch (thrown) {
    replies.push(replyTo(msg, 460, messageOf(thrown)));
  }
}
function toArgument(value, type) {
  const converted = toOpcUa(value, type);
  return isFields(converted) ? converted.value : converted;
}
function usualType(value) {
  if (typeof value === "string") return "String";
  return Number.isInteger(value) ? "Int32" : "Double";
}
function called(plan, msg) {
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
  return replyTo({ alink: request, device: msg.device }, 200, "", payload);
}
function event(plan, state, msg, outputs) {
  const { payload } = msg;
  if (!isFields(payload)) return;
  const ids = new Set(Object.values(payload).map(nodeIdText));
  for (const [device, [, , path]] of plan.devices.entries()) {
    const found = state.found[keyAt(plan, device)];
    const isSource = found !== void 0 && (ids.has(found.objectId) || startOf(path) === payload.SourceName);
    if (!isSource) continue;
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
function describe(payload) {
  if (!isFields(payload)) return messageOf(payload) || "the server did not take it";
  const text = payload._description ?? payload.description ?? payload._name ?? messageOf(payload);
  return typeof text === "string" && text !== "" ? text : "the server did not take it";
}

var LOOK_AGAIN_AFTER_MS = 3e4;
var SUBSCRIBE_AGAIN_AFTER_MS = 6e4;
var MOST_READ_AT_ONCE = 200;
var MOST_TYPES = 300;
var BASE_EVENT_TYPE = "ns=0;i=2041";
var SERVER_OBJECT = "ns=0;i=2253";
function tick(plan, state, now) {
  const commands = [...state.queue, ...state.sent ? [state.sent.command] : []];
  const isBusy = (device) => commands.some((command) => "device" in command && command.device === device);
  const items = [];
  const nodeIds = [];
  for (const [device, [, , path]] of plan.devices.entries()) {
    const found = state.found[keyAt(plan, device)];
    if (found === void 0) {
      const isDue = (state.later[keyAt(plan, device)] ?? 0) <= now;
      if (isDue && !isBusy(device))
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
function eventNames({ models }) {
  return [
    ...new Set(Object.values(models).flatMap(({ events }) => events.map(({ displayName }) => displayName)))
  ];
}
function lookForTypes(plan, state, now) {
  const missing = eventNames(plan).some((name) => !Object.hasOwn(state.types, name));
  if (!missing || state.typesLater > now) return;
  state.typesLater = now + LOOK_AGAIN_AFTER_MS;
  state.queue.push({ step: "types", nodeId: BASE_EVENT_TYPE, rest: [], visited: 0 });
}
function send(state, now, [client]) {
  const names = Object.values(state.types);
  if (names.length > 0 && now - state.subscribedAt > SUBSCRIBE_AGAIN_AFTER_MS) {
    state.subscribedAt = now;
    client.push({
      action: "events",
      topic: SERVER_OBJECT,
      eventTypeIds: BASE_EVENT_TYPE,
      customEventFields: [...new Set(names.flatMap(([, fields]) => fields))],
      payload: 500
    });
  }
  const command = state.queue.shift();
  if (command === void 0) return;
  state.number = (state.number + 1) % 1e9;
  state.sent = { number: state.number, command, since: now };
  const alinkStep = state.number;
  if (command.step === "read") {
    client.push({ action: "readmultiple", topic: "readmultiple", payload: [...command.nodeIds], alinkStep });
  } else client.push({ action: "browse", topic: command.nodeId, payload: "", alinkStep });
}
function lost(plan, state, store, node, now, reason) {
  const command = state.sent?.command;
  delete state.sent;
  if (command === void 0 || !("device" in command)) return;
  state.later[keyAt(plan, command.device)] = now + LOOK_AGAIN_AFTER_MS;
  tell(store, node, keyAt(plan, command.device), reason);
}
function taken(plan, state, msg, store, node, now, outputs) {
  if (state.sent === void 0 || msg.alinkStep !== state.sent.number) return;
  const { command } = state.sent;
  if (command.step === "read") {
    if (!Array.isArray(msg.topic) || !Array.isArray(msg.payload)) return;
    delete state.sent;
    outputs[1].push(...reports(plan, command.items, msg.payload, state, store));
    return;
  }
  const references = readReferences(msg.payload);
  switch (command.step) {
    case "path": {
      const next = follow(references, command.rest);
      if (next === void 0) {
        lost(plan, state, store, node, now, \`"\${command.rest}" is not found on the server\`);
        return;
      }
      const [{ nodeId }, rest] = next;
      state.queue.unshift({ step: rest === "" ? "object" : "path", device: command.device, nodeId, rest });
      break;
    }
    case "object":
      foundObject(plan, state, command.device, command.nodeId, references, store, node);
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
      state.subscribedAt = Number.NEGATIVE_INFINITY;
      break;
  }
  delete state.sent;
}
function foundObject(plan, state, device, objectId, references, store, node) {
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
  tell(store, node, keyAt(plan, device), missing.length > 0 ? \`has no \${missing.join(", ")}\` : "");
}
function reports(plan, items, values, state, store) {
  const reported = kept(store, "reported");
  const byDevice = /* @__PURE__ */ new Map();
  for (const [i, [device, identifier]] of items.entries()) {
    const data = values[i];
    const property = modelAt(plan, device).properties.find(
      (candidate) => candidate.identifier === identifier
    );
    const read = isFields(data) && isGood(data.statusCode) && isFields(data.value) ? data.value.value : void 0;
    const value = toReport(read, property?.kind);
    const key = keyAt(plan, device);
    if (isFields(data) && isUnknownNode(data.statusCode)) delete state.found[key];
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

var LOST_AFTER_MS = 1e4;
function opcUa(plan, msg, store, node, now) {
  const outputs = [[], [], [], []];
  const kind = isFields(msg.alink) ? msg.alink.identifier === void 0 ? "set" : "call" : void 0;
  const state = stateOf(store, plan);
  if (msg.alinkWrite !== void 0) {
    const reason = isGood(msg.payload) ? "" : describe(msg.payload);
    add(outputs[3], partDone(store, msg.alinkWrite, reason));
  } else if (msg.alinkCall === true) add(outputs[3], called(plan, msg));
  else if (kind === "set") set(plan, state, msg, store, now, outputs);
  else if (kind === "call") call(plan, state, msg, outputs);
  else if (typeof msg.alinkStep === "number") taken(plan, state, msg, store, node, now, outputs);
  else if (msg.topic === "tick") tick(plan, state, now);
  else event(plan, state, msg, outputs);
  if (state.sent !== void 0 && now - state.sent.since > LOST_AFTER_MS) {
    lost(plan, state, store, node, now, "the server does not answer");
  }
  if (state.sent === void 0) send(state, now, outputs);
  store.set("opcUa", state);
  return outputs;
}
function add(list, item) {
  if (item !== void 0) list.push(item);
}
`;
