import type { Node, NodeAPI, NodeDef } from 'node-red';
import type { Operation } from '../../protocol';
import { badSettings, expandText, readNumber, readValue, type ValueSource } from '../shared/config';
import { type AlinkMessage, handleInput } from '../shared/flow-node';
import { handleRequests } from '../shared/requests';
import { carryOut } from './carry-out';
import { CONTENT, entryFields, offered, pushOf, takesPayload } from './options';
import { type FormEntries, type ParameterSource, requestParams } from './parameters';
import { shadowVersion } from './shadow-version';

interface FieldValue {
  value: string;
  type: ValueSource;
}

interface RequestNodeDef extends NodeDef {
  device: string;
  /** Name in the catalogue. */
  operation: string;
  source: ParameterSource;
  /** Fields of the form, one record per entry. */
  entries: Array<Record<string, FieldValue>>;
  /** Hand on what the platform pushes in this operation's group. */
  pushes: boolean;
  /** Seconds; empty: the device's. */
  timeout: string;
}

/** Sends any request of the catalogue that a device may start and that no other node is for (B.1, B.3, B.6). */
export = function alinkRequest(RED: NodeAPI): void {
  RED.nodes.registerType('alink-request', function (def: RequestNodeDef) {
    RED.nodes.createNode(this, def);
    const operation = offered(def.operation);
    const push = operation && def.pushes === true ? pushOf(operation) : undefined;
    const link = handleRequests(
      RED,
      this,
      { device: def.device, timeLimit: '' },
      {
        filters: push === undefined ? [] : [{ kind: 'notice', operation: push }],
        reply: () => 'now',
      },
    );
    handleInput(RED, this, link, async (msg, { device, info }) => {
      if (operation === undefined) throw badSettings('operation', 'is not in the list');
      const method = operation.method ?? operation.name;
      info.method = method;
      info.operation = operation.name;
      const source = takesPayload(operation) ? def.source || 'form' : 'form';
      const form = source === 'payload' ? [] : await readForm(RED, this, operation, def, msg);
      const params = requestParams(operation, form, msg.payload, source);
      const seconds = readNumber(expandText(RED, this, def.timeout), 'timeout', { min: 1, max: 3600 });
      const { reply, payload } = await carryOut(device, {
        operation,
        params,
        content: form[0] && CONTENT.name in form[0] ? form[0][CONTENT.name] : msg.payload,
        options: {
          signal: link.signal,
          ...(seconds === undefined ? {} : { timeoutMs: seconds * 1000 }),
        },
        version: shadowVersion(RED.nodes.getNode(def.device) ?? this, device.identity),
        onProgress: (sent, total) => {
          if (!link.signal.aborted) link.status.progress(sent, total);
        },
      });
      msg.payload = payload;
      return { status: 'acknowledged', reply, method, warnings: [] };
    });
  });
};

async function readForm(
  RED: NodeAPI,
  node: Node,
  operation: Operation,
  { entries }: RequestNodeDef,
  msg: AlinkMessage,
): Promise<FormEntries> {
  if (entryFields(operation).length === 0 || !Array.isArray(entries)) return [];
  return Promise.all(
    entries.map(async (entry) => {
      const fields = Object.entries(entry).map(async ([name, { value, type }]) => {
        // An empty field says nothing, whatever its type would make of it.
        if (String(value ?? '').trim() === '') return [name, undefined] as const;
        const fixed = type === 'str';
        return [
          name,
          fixed ? expandText(RED, node, value) : await readValue(RED, node, value, type, msg),
        ] as const;
      });
      return Object.fromEntries(await Promise.all(fields));
    }),
  );
}
