import type { NodeAPI, NodeDef } from 'node-red';
import { AlinkError, answerRequest, type RequestAnswer } from '../../sdk';
import { readValue, type ValueSource } from '../shared/config';
import { toAlinkError, toFlowError } from '../shared/flow-error';
import type { AlinkMessage } from '../shared/flow-node';
import { toAnswer } from '../shared/reply';
import { StatusLine } from '../shared/status';

interface ServiceReplyDef extends NodeDef {
  /** 200, 400, 429, 460 or 100000–110000; 200 where the message has none. */
  code: string;
  codeType: ValueSource;
  message: string;
  messageType: ValueSource;
  /** Data of the answer, or bytes for a request that was bytes. */
  value: string;
  valueType: ValueSource;
}

/** Answers a request of the platform, whichever node of whichever device it came from (section J). */
export = function alinkServiceReply(RED: NodeAPI): void {
  RED.nodes.registerType('alink-service-reply', function (def: ServiceReplyDef) {
    RED.nodes.createNode(this, def);
    const status = new StatusLine(RED, this);
    let closed = false;

    const read = async (msg: AlinkMessage, isBytes: boolean): Promise<RequestAnswer> => {
      const data = await readValue(RED, this, def.value || 'payload', def.valueType || 'msg', msg);
      if (isBytes) return toAnswer({ data, isBytes });
      // A flow written by hand may leave it out, and the number of an empty text is 0.
      const isSet = def.code !== undefined && def.code !== '';
      const code = isSet ? await readValue(RED, this, def.code, def.codeType || 'num', msg) : undefined;
      const message = await readValue(RED, this, def.message ?? '', def.messageType || 'str', msg);
      return toAnswer({
        code,
        message,
        data,
        isBytes,
      });
    };

    this.on('input', async (msg: AlinkMessage, _send, done) => {
      try {
        const { token, isBytes } = requestOf(msg);
        if (token !== undefined) await answerRequest(token, await read(msg, isBytes));
        if (!closed) status.success();
        done();
      } catch (thrown) {
        const error = toAlinkError(thrown);
        if (!closed) status.error(error);
        done(toFlowError(RED, error));
      }
    });
    this.on('close', () => {
      closed = true;
      status.close();
    });
  });
};

/**
 * Which request a message belongs to; no token when nobody waits, as with desired values.
 * @throws AlinkError `unknownRequest`, `alreadyAnswered`
 */
function requestOf({ alink }: AlinkMessage): { token?: string; isBytes: boolean } {
  const info = typeof alink === 'object' && alink !== null ? (alink as Record<string, unknown>) : {};
  const { request, status, id } = info;
  if (typeof request === 'string' && request !== '') return { token: request, isBytes: id === undefined };
  // One flow serves what is set now and what was desired before; only the first has somebody who waits.
  if (status === 'received' || status === 'unchanged') return { isBytes: false };
  if (status === 'answered') throw new AlinkError('alreadyAnswered', 'the request was answered at once');
  throw new AlinkError('unknownRequest', 'msg.alink.request is missing');
}
