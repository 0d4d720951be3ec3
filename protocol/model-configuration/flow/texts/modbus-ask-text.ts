/** Made from ../modbus-ask.ts by scripts/function-texts.mjs. */
export const askText = `function kept(store, name) {
  const value = store.get(name);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  const fresh = {};
  store.set(name, fresh);
  return fresh;
}

var PROBE_MS = 1e4;
function mayAsk(store, device, now) {
  const absence = kept(store, "absent")[device];
  if (absence === void 0) return "all";
  return now >= absence.until ? "one" : "nothing";
}
function probed(store, device, now) {
  const absence = kept(store, "absent")[device];
  if (absence !== void 0) absence.until = now + PROBE_MS;
}

function readTopic({ productKey, deviceName }, index) {
  return \`\${productKey}/\${deviceName}/\${index}\`;
}
var LOST_AFTER_MS = 1e4;
function ask({ reads, devices }, msg, store, now) {
  const asked = kept(store, "asked");
  const messages = [];
  for (const [productKey, deviceName, unitid] of devices) {
    for (const [index, { fc, address, quantity, pollingTime }] of (reads[productKey] ?? []).entries()) {
      if (pollingTime !== msg.payload) continue;
      const may = mayAsk(store, \`\${productKey}/\${deviceName}\`, now);
      if (may === "nothing") break;
      const device = { productKey, deviceName };
      const topic = readTopic(device, index);
      const since = now - (asked[topic] ?? Number.NEGATIVE_INFINITY);
      if (since >= 0 && since < Math.max(LOST_AFTER_MS, 2 * pollingTime)) continue;
      asked[topic] = now;
      messages.push({ topic, device, payload: { fc, unitid, address, quantity } });
      if (may === "one") probed(store, \`\${productKey}/\${deviceName}\`, now);
    }
  }
  store.set("asked", asked);
  return messages;
}
`;
