// Which Node.js runs what: the current Node-RED and the test browser need a newer one than some hosts have.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);

/** What the current Node-RED and the browser package ask for. */
const NEEDED = { major: 22, minor: 17 };

/**
 * The host's Node.js when it is new enough, else the one that came with the dev dependencies.
 * @returns {string | undefined} path of the binary; undefined on machines that no binary is published for
 */
export function modernNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > NEEDED.major || (major === NEEDED.major && minor >= NEEDED.minor)) return process.execPath;
  return bundledNode();
}

/** The binary of the dev dependency for this machine; its package needs no install script. */
function bundledNode() {
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  try {
    const prefix = platform === 'darwin' && process.arch === 'arm64' ? 'node-bin' : 'node';
    const folder = dirname(require.resolve(`${prefix}-${platform}-${process.arch}/package.json`));
    const binary = join(folder, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
    return existsSync(binary) ? binary : undefined;
  } catch {
    return undefined; // not installed here: npm skips packages for other machines
  }
}
