import { badSettings } from './config';

const MOST_HOSTS = 100;
/** A name, `*.` and a name, or an address. */
const HOST = /^(\*\.)?[a-z0-9_]([a-z0-9_.-]*[a-z0-9])?$|^\[?[0-9a-f:.]+\]?$/;

/**
 * Host names that files may come from, as a dialog has them.
 * @returns empty: any
 * @throws AlinkError `badSettings`
 */
export function readHosts(text: string): string[] {
  const hosts = text
    .toLowerCase()
    .split(/[\s,;]+/)
    .filter((host) => host !== '');
  const wrong = hosts.find((host) => !HOST.test(host));
  if (wrong !== undefined)
    throw badSettings('hosts', `${wrong} is no host name`, 'badHost', { value: wrong });
  if (hosts.length > MOST_HOSTS) throw badSettings('hosts', `at most ${MOST_HOSTS}`);
  return hosts;
}
