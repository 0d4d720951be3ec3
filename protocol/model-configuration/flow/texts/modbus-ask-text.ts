/** Made from ../modbus-ask.ts by scripts/function-texts.mjs. */
export const askText = `function deviceKey({ productKey, deviceName }) {
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

var LONGEST_WAIT_MS = 6e4;
var PROBE_MS = 1e4;
function mayAsk(store, device, now) {
  const absence = kept(store, "absent")[device];
  return absence === void 0 || hasPassed(LONGEST_WAIT_MS, absence.until - LONGEST_WAIT_MS, now);
}
function probed(store, device, now) {
  const absence = kept(store, "absent")[device];
  if (absence !== void 0) absence.until = now + PROBE_MS;
}

var LOST_AFTER_MS = 1e4;
function becomeDue(store, requests) {
  const polling = pollingOf(store);
  const waiting = new Set(polling.due.map(({ topic }) => topic));
  polling.due.push(...requests.filter(({ topic }) => !waiting.has(topic)));
  store.set("polling", polling);
}
function nextDue(store, now, may) {
  const polling = pollingOf(store);
  if (polling.asked !== "" && !hasPassed(LOST_AFTER_MS, polling.since, now)) return void 0;
  const at = polling.due.findIndex(may);
  const [next] = at === -1 ? [] : polling.due.splice(at, 1);
  if (next !== void 0) polling.due.push(next);
  polling.asked = next?.topic ?? "";
  polling.since = now;
  store.set("polling", polling);
  return next && { topic: next.topic, device: { ...next.device }, payload: { ...next.payload } };
}
function pollingOf(store) {
  return store.get("polling") ?? { due: [], asked: "", since: 0 };
}

function readTopic(device, index) {
  return \`\${deviceKey(device)}/\${index}\`;
}
function ask({ reads, devices }, msg, store, now) {
  if (typeof msg.payload === "number") {
    const due = devices.flatMap(
      ([productKey, deviceName, unitid]) => (reads[productKey] ?? []).flatMap(({ fc, address, quantity, pollingTime }, index) => {
        if (pollingTime !== msg.payload) return [];
        const device = { productKey, deviceName };
        return [{ topic: readTopic(device, index), device, payload: { fc, unitid, address, quantity } }];
      })
    );
    becomeDue(store, due);
  }
  const request = nextDue(store, now, ({ device }) => mayAsk(store, deviceKey(device), now));
  if (request !== void 0) probed(store, deviceKey(request.device), now);
  return request;
}
`;
