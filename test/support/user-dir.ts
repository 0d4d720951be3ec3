import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const PROJECT = resolve(__dirname, '..', '..');
const NAME = 'node-red-contrib-alink';

/** Settings that keep a Node-RED offline and quiet. */
export const QUIET = {
  telemetry: { enabled: false, updateNotification: false },
  editorTheme: { tours: false, palette: { catalogues: [] } },
  externalModules: { palette: { allowInstall: false } },
};

/**
 * A new user directory of Node-RED with our nodes installed the way a user's are.
 * @param packageDir the package: this project as built, unless told
 * @returns its path; the caller removes it
 */
export function newUserDir(packageDir = PROJECT): string {
  const userDir = mkdtempSync(join(tmpdir(), 'alink-user-dir-'));
  mkdirSync(join(userDir, 'node_modules'));
  symlinkSync(packageDir, join(userDir, 'node_modules', NAME), 'junction');
  const manifest = { name: 'test', version: '1.0.0', dependencies: { [NAME]: '*' } };
  writeFileSync(join(userDir, 'package.json'), JSON.stringify(manifest));
  return userDir;
}
