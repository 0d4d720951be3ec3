/** What a generated flow is made with. */
export interface GeneratedFlowOptions {
  /** Id of the gateway's `alink-device` node, which the flow uses and does not contain. */
  gateway: string;
  /** Of the gateway, shown on the tabs. */
  name?: string;
  /** Registers or coils that may be read without being asked for, so that fewer requests are needed; 0 by default. */
  gap?: number;
  /** Names of serial ports on the machine, by those of the document. */
  serialPorts?: ReadonlyMap<string, string>;
  /** Decrypted passwords by serverId. Who gives them gets a flow with secrets in it; otherwise the user enters them. */
  passwords?: ReadonlyMap<string, string>;
  /** `en-US` or `zh-CN`: of comments and names. */
  language?: string;
}
