// The vendor's device SDK has no types of its own; only what the tests call.
declare module 'alibabacloud-iot-device-sdk' {
  interface Reply {
    id: string;
    code: number;
    data: unknown;
    message?: string;
  }
  interface ShadowMessage {
    method: 'reply' | 'control';
    payload: { status?: string; state?: { reported?: object; desired?: object }; content?: object };
    version?: number;
  }
  interface Names {
    productKey: string;
    deviceName: string;
  }
  interface Triple extends Names {
    deviceSecret: string;
  }
  interface Device {
    readonly connected: boolean;
    on(event: 'connect', listener: () => void): void;
    on(event: 'error', listener: (error: Error) => void): void;
    on(event: 'message', listener: (topic: string, payload: Buffer) => void): void;
    postProps(values: object, callback: (reply: Reply) => void): void;
    onProps(listener: (request: { id: string; params: Record<string, unknown> }) => void): void;
    onService(
      identifier: string,
      listener: (
        request: { id: string; params: Record<string, unknown> },
        reply: (answer: { id?: string; code: number; data?: object }, kind?: 'async' | 'sync') => void,
      ) => void,
    ): void;
    postTags(tags: Array<{ attrKey: string; attrValue: string }>, callback: (reply: Reply) => void): void;
    deleteTags(keys: string[], callback: (reply: Reply) => void): void;
    getShadow(): void;
    postShadow(reported: object): void;
    deleteShadow(keys?: string | string[]): void;
    onShadow(listener: (message: ShadowMessage) => void): void;
    getConfig(callback: (reply: Reply) => void): void;
    onConfig(listener: (message: { id: string; params?: object }) => void): void;
    publish(topic: string, payload: string | Buffer): void;
    subscribe(topic: string, options: { qos: 0 | 1 }, callback: (error: Error | null) => void): void;
    postEvent(identifier: string, params: object, callback: (reply: Reply) => void): void;
    end(force: boolean, callback: () => void): void;
  }
  /** Its `error` comes with the answer to a login that was refused, not with an Error. */
  interface SubDevice extends Omit<Device, 'on'> {
    on(event: 'connect', listener: () => void): void;
    on(event: 'error', listener: (reply: Reply) => void): void;
  }
  interface Gateway extends Device {
    addTopo(devices: Triple[], callback: (reply: Reply) => void): void;
    getTopo(callback: (reply: Reply) => void): void;
    removeTopo(devices: Names[], callback: (reply: Reply) => void): void;
    login(device: Triple, callback: (reply: Reply) => void): SubDevice;
    logout(device: Names, callback: (reply: Reply) => void): void;
    regiestSubDevice(devices: Names | Names[], callback: (reply: Reply) => void): void;
  }
  interface Registration {
    code: number;
    message?: string;
    data?: { productKey: string; deviceName: string; deviceSecret: string };
  }
  export function register(
    options: {
      productKey: string;
      productSecret: string;
      deviceName: string;
      registerURL: string;
      signMethod?: string;
    },
    callback: (result: Registration) => void,
  ): void;
  interface ConnectOptions extends Triple {
    brokerUrl: string;
    signAlgorithm?: string;
    keepalive?: number;
  }
  export function device(options: ConnectOptions): Device;
  export function gateway(options: ConnectOptions): Gateway;
}
