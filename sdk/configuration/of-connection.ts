import type { Platform } from '../../protocol';
import { platformKey } from '../registration/credentials';
import { TIMING } from '../session/timing';
import type { ThingConnection } from '../thing-connection';
import type { ThingOptions } from '../types';
import { ConfigurationClient } from './client';
import { ModelConfigurationClient } from './model-client';
import type { Configuration } from './types';

/** Both kinds of configuration of one thing. */
export type ThingConfiguration = Configuration & { close(): void };

/** Configuration from the cloud over a thing's connection. */
export function configurationOf(
  connection: ThingConnection,
  { configurationStore, timing }: Pick<ThingOptions, 'configurationStore' | 'timing'>,
  { platform, ca, secret }: { platform: Platform; ca?: string | undefined; secret: () => Promise<string> },
): ThingConfiguration {
  const door = {
    identity: connection.identity,
    store: configurationStore,
    platformKey: platformKey(platform),
    allowHttp: platform.kind === 'emulator',
    ca,
    secret,
    isOnline: () => connection.isOnline,
    onOnline: connection.onOnline.bind(connection),
    onRequest: connection.onRequest.bind(connection),
    request: connection.request.bind(connection),
    timing: { ...TIMING, ...timing },
    log: connection.log.bind(connection),
  };
  const remote = new ConfigurationClient(door);
  const model = new ModelConfigurationClient(door);
  return {
    onPush: (...given) => remote.onPush(...given),
    onModelPush: (...given) => model.onModelPush(...given),
    get: (...given) => remote.get(...given),
    current: () => remote.current(),
    model: () => model.model(),
    close: () => {
      remote.close();
      model.close();
    },
  };
}
