import assert from 'node:assert/strict';

type Message = { [name: string]: unknown };
export const nodeId = (namespace: number, value: number | string) => ({
  identifierType: typeof value === 'number' ? 1 : 2,
  namespace,
  value,
});
const idText = ({ identifierType, namespace, value }: ReturnType<typeof nodeId>) =>
  `ns=${namespace};${identifierType === 1 ? 'i' : 's'}=${value}`;

/** One node of the address space. */
interface UaNode {
  id: ReturnType<typeof nodeId>;
  displayName: string;
  browseName: string;
  nodeClass: number;
  value?: unknown;
  /** Number of its type. */
  type?: number;
  children: UaNode[];
}

function uaNode(
  id: number | string,
  displayName: string,
  nodeClass: number,
  more: Partial<UaNode> = {},
): UaNode {
  const made = nodeId(typeof id === 'number' && id < 3000 ? 0 : 2, id);
  return { id: made, displayName, browseName: displayName, nodeClass, children: [], ...more };
}

const TYPE_NAMES: Record<number, string> = {
  0: 'Null',
  1: 'Boolean',
  6: 'Int32',
  9: 'UInt64',
  11: 'Double',
  12: 'String',
};

const ENDPOINT = 'opc.tcp://10.0.0.9:4840';
/** What a write must have for each type; on anything else the node throws where nobody catches it, and Node-RED ends. */
const WRITTEN: Record<string, (payload: unknown) => boolean> = {
  Boolean: (payload) => typeof payload === 'boolean',
  Double: (payload) => Number.isFinite(payload),
  UInt64: (payload) => /^\d{1,20}$/.test(String((payload as { value?: unknown }).value)),
};

/** As the server keeps it. */
function stored({ datatype, payload }: Message): unknown {
  if (datatype !== 'UInt64') return payload;
  const whole = BigInt((payload as { value: string }).value);
  return [Number(whole >> 32n), Number(whole & 0xffff_ffffn)];
}

/**
 * What `OpcUa-Client` of node-red-contrib-opcua 0.2.354 does with messages, on a made-up server: the shapes were taken down
 * from the node itself on a server of node-opcua 2.160.
 */
export class MadeUpOpcUaClient {
  readonly nodes = new Map<string, UaNode>();
  readonly commands: Message[] = [];
  /** The connection: there; lost after it was there; refused by the server at the login. */
  connection: 'active' | 'lost' | 'refused' = 'active';
  writeStatus = 0;
  /** Subscriptions of events; each tells each event. */
  subscriptions: string[][] = [];
  /** Methods under way; they answer when the test says so. */
  slow = false;
  readonly underWay: Message[] = [];

  constructor() {
    const boiler = (name: string) =>
      uaNode(name, name, 1, {
        children: [
          uaNode(`${name}/t`, 'Temp.1', 2, { value: 71.5, type: 11 }),
          uaNode(`${name}/b`, 'Burner', 2, { value: false, type: 1 }),
          uaNode(`${name}/n`, 'Total', 2, { value: [2_097_152, 1], type: 9 }),
          uaNode(`${name}/m`, 'Mix', 4, {
            children: [
              uaNode(`${name}/m/in`, 'InputArguments', 2, {
                id: nodeId(2, 7000),
                value: [
                  { name: 'Recipe', dataType: nodeId(0, 12) },
                  { name: 'Seconds', dataType: nodeId(0, 5) },
                ],
                type: 22,
              }),
            ],
          }),
        ],
      });
    const base = uaNode(2041, 'BaseEventType', 8, {
      children: [
        uaNode(2130, 'SystemEventType', 8),
        uaNode(4001, 'PlantEvent', 8, {
          children: [
            uaNode(4002, 'Overheat alarm', 8, {
              browseName: 'OverheatType',
              children: [uaNode(4003, 'Where', 2), uaNode(4004, 'Value', 2)],
            }),
          ],
        }),
      ],
    });
    const objects = uaNode(85, 'Objects', 1, {
      children: [
        uaNode('Hall', 'Hall', 1),
        uaNode('Hall 1', 'Hall 1', 1, { children: [boiler('Boiler 1'), boiler('Boiler 2')] }),
      ],
    });
    for (const root of [objects, base]) this.#add(root);
  }

  #add(node: UaNode): void {
    this.nodes.set(idText(node.id), node);
    for (const child of node.children) this.#add(child);
  }

  at(id: string): UaNode {
    const node = this.nodes.get(id);
    assert.ok(node, id);
    return node;
  }

  /** The server gives a node another id. */
  rename(id: string, value: string): void {
    const node = this.at(id);
    this.nodes.delete(id);
    node.id = nodeId(2, value);
    this.#add(node);
  }

  /** @returns messages of its three outputs */
  take(given: Message): Message[][] {
    const msg = { ...given };
    this.commands.push({ ...given });
    if (msg.action === 'connect') return [[], [], []];
    assert.equal(typeof msg.topic, 'string');
    if (this.connection === 'refused') {
      return [[], [this.#status('connection error', "can't work without OPC UA client")], []];
    }
    return this.connection === 'lost' ? this.#takeWithoutConnection(msg) : this.#take(msg);
  }

  /** A message of the second output. */
  status(status: string): Message {
    return this.#status(status, null);
  }

  #status(status: string, error: unknown): Message {
    return { error, endpoint: ENDPOINT, status };
  }

  #takeWithoutConnection({ action }: Message): Message[][] {
    switch (action) {
      case 'write':
        return [[], [this.#status('invalid session', null)], []];
      case 'method': {
        const status = 'execute method error';
        const error = 'Method execution error: Invalid Channel BadConnectionClosed';
        return [[], [this.#status(status, null), this.#status(status, error)], []];
      }
      case 'events':
        return assert.fail('Node-RED has ended: Invalid Channel BadConnectionClosed');
      case 'readmultiple':
        return [[], [this.#status('error', new Error('Invalid Channel'))], []];
      default:
        return [[], [], []];
    }
  }

  #take(msg: Message): Message[][] {
    switch (msg.action) {
      case 'browse':
        msg.payload = this.at(String(msg.topic)).children.map((node) => ({ item: this.#reference(node) }));
        return [[msg], [this.status('active browsing')], []];
      case 'readmultiple': {
        assert.equal(msg.topic, 'readmultiple');
        const ids = msg.payload as string[];
        const values = ids.map((id) => this.#dataValue(id));
        const each = ids.map((id, i) => ({ ...msg, topic: id, payload: values[i]?.value?.value }));
        const topic = ids.map((id) => ({ nodeId: id, attributeId: 13, TimestampsToReturn: 2 }));
        return [each, [this.status('active multiple reading')], [{ ...msg, topic, payload: values }]];
      }
      case 'write':
        return this.#write(msg);
      case 'method':
        assert.ok(Array.isArray(msg.inputArguments));
        this.underWay.push(msg);
        return this.slow ? [[], [this.status('call method')], []] : this.finish();
      case 'events':
        this.subscriptions.push(msg.customEventFields as string[]);
        return [[], [this.status('subscribed'), this.status('initialized')], []];
      case 'deletesubscription':
        this.subscriptions = [];
        return [[], [this.status('terminated')], []];
      default:
        return assert.fail(`unknown action ${String(msg.action)}`);
    }
  }

  /** The first method under way answers, or fails with a reason. */
  finish(reason?: string): Message[][] {
    const msg = this.underWay.shift();
    assert.ok(msg);
    if (reason !== undefined) {
      const status = 'execute method error';
      const error = `Execute method result, error:${reason}`;
      return [[], [this.#status(status, null), this.#status(status, error)], []];
    }
    const outputArguments = [
      { dataType: 1, arrayType: 0, value: true },
      { dataType: 6, arrayType: 0, value: 42 },
    ];
    const result = { statusCode: { _value: 0 }, outputArguments };
    return [
      [{ ...msg, result, output: outputArguments, payload: outputArguments.map(({ value }) => value) }],
      [],
      [],
    ];
  }

  /** An event of a boiler, told once by each subscription: fields that are 0 or false are left out. */
  event(source: string, fields: Message): Message[] {
    return this.subscriptions.map((custom) => ({
      topic: '0xf12aa037',
      payload: {
        EventId: '0xf12aa037',
        OverheatType: nodeId(2, 4002),
        [source]: nodeId(2, source),
        SourceName: source,
        Message: { locale: null, text: 'hot' },
        Severity: 500,
        ...Object.fromEntries(
          Object.entries(fields).filter(([name, value]) => custom.includes(name) && value),
        ),
      },
    }));
  }

  #write(msg: Message): Message[][] {
    assert.match(String(msg.topic), /^ns=/);
    const fits = WRITTEN[String(msg.datatype)]?.(msg.payload);
    assert.ok(fits, `Node-RED has ended: ${JSON.stringify(msg.payload)} as ${msg.datatype}`);
    if (this.writeStatus === 0) this.at(String(msg.topic)).value = stored(msg);
    const error = 'The access level does not allow writing to the Node.';
    const status = { _value: this.writeStatus, _name: 'BadNotWritable', _description: error };
    const told = this.writeStatus === 0 ? [] : [this.#status('error', error)];
    return [
      [{ ...msg, payload: status }],
      [this.status('writing'), this.status('value written'), ...told],
      [],
    ];
  }

  #reference({ id, displayName, browseName, nodeClass, value, type }: UaNode): Message {
    return {
      nodeId: id,
      displayName: { text: displayName, locale: 'en' },
      browseName: { name: browseName, namespaceIndex: id.namespace },
      nodeClass,
      value,
      dataType: TYPE_NAMES[type ?? 0],
    };
  }

  #dataValue(id: string): { value?: { value: unknown; dataType: number }; statusCode: { _value: number } } {
    const node = this.nodes.get(id);
    if (node === undefined) return { statusCode: { _value: 0x80340000 } };
    return { value: { value: node.value, dataType: node.type ?? 0 }, statusCode: { _value: 0 } };
  }
}
