import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

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
 * @param neighbours names of further collections to install, out of the dev dependencies
 * @returns its path; the caller removes it
 */
export function newUserDir(packageDir = PROJECT, neighbours: readonly string[] = []): string {
  const userDir = mkdtempSync(join(tmpdir(), 'alink-user-dir-'));
  const dependencies: Record<string, string> = {};
  const install = (name: string, source: string) => {
    const target = join(userDir, 'node_modules', name);
    mkdirSync(dirname(target), { recursive: true });
    symlinkSync(source, target, 'junction');
    dependencies[name] = '*';
  };
  install(NAME, packageDir);
  for (const name of neighbours) install(name, join(PROJECT, 'node_modules', name));
  const manifest = { name: 'test', version: '1.0.0', dependencies };
  writeFileSync(join(userDir, 'package.json'), JSON.stringify(manifest));
  return userDir;
}
