import { KEEP_ALIVE_SECONDS } from '../protocol';
import { Connection } from './connection';
import { GatewayCore } from './gateway/core';
import { checkOptions } from './options';
import { Credentials } from './registration/credentials';
import { SendWindow } from './report/send-window';
import { Session } from './session/session';
import type { SessionEvents } from './session/thing-session';
import type { DeviceOptions } from './types';

/** A thing with an MQTT connection of its own, and what makes it a gateway if it is one. */
export interface DirectConnection {
  connection: Connection;
  gateway: GatewayCore | undefined;
}

/** @throws AlinkError `badSettings` naming the field */
export function directConnection(options: DeviceOptions): DirectConnection {
  checkOptions(options);
  const credentials = new Credentials(options);
  const window = new SendWindow();
  const opened: { gateway?: GatewayCore } = {};
  const connection = new Connection(options, {
    window,
    platform: options.platform,
    ca: options.ca,
    secret: () => credentials.deviceSecret(),
    filters: [
      ...Connection.filters(options.identity),
      ...(options.gateway ? GatewayCore.filters(options.identity) : []),
    ],
    openSession: (events) =>
      new Session({
        ...shared(events, () => opened.gateway),
        endpoint: () => credentials.endpoint(),
        connectFields: (signal, onSent) => credentials.fields(signal, onSent),
        onRefused: (error) => credentials.refused(error),
        ca: options.ca,
        keepAliveSeconds: options.keepAliveSeconds ?? KEEP_ALIVE_SECONDS.default,
        cleanSession: options.cleanSession === true,
        timing: options.timing,
      }),
  });
  if (options.gateway) opened.gateway = new GatewayCore(connection, options, window);
  return { connection, gateway: opened.gateway };
}

/** Events of the session, which belong to the gateway itself or to its sub-devices. */
function shared(own: SessionEvents, gateway: () => GatewayCore | undefined): SessionEvents {
  return {
    ...own,
    qosOf: (filter) => (gateway()?.connectionOf(filter) ?? own).qosOf(filter),
    onRefusedFilter: (filter) => {
      const subDevice = gateway()?.connectionOf(filter);
      if (subDevice) subDevice.refusedFilter(filter);
      else own.onRefusedFilter(filter);
    },
    onMessage: (message) => {
      if (!gateway()?.receive(message)) own.onMessage(message);
    },
    onOnline: () => {
      own.onOnline();
      gateway()?.online();
    },
    onOffline: (error) => {
      own.onOffline(error);
      gateway()?.offline(error);
    },
  };
}
