// Downloads firmware in a process of its own, so that a test can kill or weigh it. Argument: JSON of folder, offer, flushBytes, ca;
// killAt: bytes of this run after which it kills itself, killAfterMs later.
const { join } = require('node:path');
const { Downloads } = require(join(__dirname, '..', '..', 'dist', 'sdk', 'ota', 'download', 'downloads.js'));

const { folder, offer, flushBytes, ca, killAt, killAfterMs } = JSON.parse(process.argv[2] ?? '{}');
const timing = {
  stallMs: 5000,
  handshakeMs: 5000,
  downloadBackoff: { first: 10, longest: 100 },
  blockMs: 1000,
  blockGapMs: 0,
};
const fail = async () => {
  throw new Error('nothing is asked over MQTT');
};
const downloads = new Downloads({
  identity: { productKey: 'a1Test', deviceName: 'lamp-1' },
  ca,
  timing,
  ask: fail,
  running: () => undefined,
  request: fail,
  log: () => undefined,
});

let start = -1;
/** Most memory while a first fifth was loaded, and while the rest was. */
const peaks = [0, 0];
/** Most memory of buffers, alive or not yet collected. */
let buffers = 0;
downloads
  .run(offer, {
    folder,
    allowHttp: true,
    keepFreeBytes: 0,
    flushBytes,
    onProgress: ({ doneBytes, totalBytes }) => {
      if (start < 0) start = doneBytes;
      if (doneBytes - start >= killAt) {
        if (killAfterMs > 0) setTimeout(() => process.kill(process.pid, 'SIGKILL'), killAfterMs);
        else process.kill(process.pid, 'SIGKILL');
      }
      const part = doneBytes < totalBytes / 5 ? 0 : 1;
      peaks[part] = Math.max(peaks[part] ?? 0, process.memoryUsage.rss());
      buffers = Math.max(buffers, process.memoryUsage().arrayBuffers);
    },
  })
  .then(
    ({ files }) => process.stdout.write(JSON.stringify({ path: files[0].path, peaks, buffers })),
    (error) => {
      process.stderr.write(`${error.key} ${error.message}`);
      process.exitCode = 1;
    },
  );
