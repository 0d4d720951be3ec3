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
  interface Device {
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
    publish(topic: string, payload: string | Buffer): void;
    postEvent(identifier: string, params: object, callback: (reply: Reply) => void): void;
    end(force: boolean, callback: () => void): void;
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
  export function device(options: {
    productKey: string;
    deviceName: string;
    deviceSecret: string;
    brokerUrl: string;
    signAlgorithm?: string;
    keepalive?: number;
  }): Device;
}
