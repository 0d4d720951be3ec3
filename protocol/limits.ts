/** Limits of the platform that both sides check (section D). Sizes in bytes, times in milliseconds. */
export const LIMITS = {
  mqttPayloadBytes: 256 * 1024,
  topicBytes: 128,
  topicLevels: 7,
  propertiesPerPost: 200,
  eventsPerPack: 20,
  subDevicesPerPack: 20,
  sampleTimeAheadMs: 24 * 60 * 60 * 1000,
  rrpcTimeoutMs: { min: 1000, max: 8000 },
  connectsPerMinute: 5,
  tagsPerRequest: 200,
  tagsPerDevice: 100,
  tagKeyBytes: 100,
  logsPerPost: 40,
  logContentBytes: 4096,
  thingModelBytes: 512 * 1024,
} as const;
