// The vendor's device SDK has no types of its own; only what the tests call.
declare module 'alibabacloud-iot-device-sdk' {
  interface Reply {
    id: string;
    code: number;
    data: unknown;
    message?: string;
  }
  interface Device {
    on(event: 'connect', listener: () => void): void;
    on(event: 'error', listener: (error: Error) => void): void;
    on(event: 'message', listener: (topic: string, payload: Buffer) => void): void;
    postProps(values: object, callback: (reply: Reply) => void): void;
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
