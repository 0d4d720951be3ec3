import type { Node, NodeAPI, NodeMessage } from 'node-red';
import { AlinkError } from '../../sdk';

/** Types of a typed input that these nodes offer; `none` means nothing was configured. */
export type ValueSource =
  | 'none'
  | 'msg'
  | 'flow'
  | 'global'
  | 'str'
  | 'num'
  | 'bool'
  | 'json'
  | 'bin'
  | 'date'
  | 'jsonata'
  | 'env';

/** Fields in the editor are text; `${NAME}` in them is replaced by the environment's value. */
export function expandText(RED: NodeAPI, node: Node, text: unknown): string {
  // Flows that were written by hand or by a program hold numbers where the editor writes text.
  const trimmed = String(text ?? '').trim();
  if (!trimmed.includes('${')) return trimmed;
  return String(RED.util.evaluateNodeProperty(trimmed, 'env', node, {}) ?? '').trim();
}

/**
 * A number from a text field.
 * @returns undefined when the field is empty
 * @throws AlinkError `badSettings` naming the field
 */
export function readNumber(
  text: string | number | undefined,
  field: string,
  range: { min: number; max: number },
): number | undefined {
  if (text === undefined || String(text).trim() === '') return undefined;
  const value = Number(text);
  if (Number.isFinite(value) && value >= range.min && value <= range.max) return value;
  throw badSettings(field, `${range.min}–${range.max}`);
}

/**
 * Settings of a node that cannot work.
 * @param rule key of the reason under `input` in the locales, where there is one
 * @param values what that sentence names
 */
export function badSettings(
  field: string,
  reason: string,
  rule?: string,
  values: Readonly<Record<string, string>> = {},
): AlinkError {
  const details = { ...values, field, reason, ...(rule === undefined ? {} : { rule }) };
  return new AlinkError('badSettings', `${field}: ${reason}`, { details });
}

/** Reads a typed input for one message. @throws AlinkError `invalidInput` when the expression fails */
export async function readValue(
  RED: NodeAPI,
  node: Node,
  value: string,
  source: ValueSource,
  msg: NodeMessage,
): Promise<unknown> {
  if (source === 'none') return undefined;
  if (source === 'msg') return RED.util.getMessageProperty(msg, value);
  try {
    return await new Promise((resolve, reject) => {
      const expression = source === 'jsonata' ? RED.util.prepareJSONataExpression(value, node) : undefined;
      if (expression) {
        RED.util.evaluateJSONataExpression(expression, msg, (error: Error | null, result: unknown) =>
          error ? reject(error) : resolve(result),
        );
        return;
      }
      RED.util.evaluateNodeProperty(value, source, node, msg, (error: Error | null, result: unknown) =>
        error ? reject(error) : resolve(result),
      );
    });
  } catch (cause) {
    const reason =
      cause instanceof Error ? cause.message : String((cause as { message?: unknown })?.message ?? cause);
    throw new AlinkError('invalidInput', reason, { cause, details: { reason } });
  }
}

/**
 * Time of a measurement from a typed input: ms since 1970, a Date, or ISO 8601 text.
 * @returns undefined when there is none; anything else unreadable is passed on for the check to name it
 */
export function toTime(value: unknown): number | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (value instanceof Date) return value.getTime();
  if (typeof value === 'string' && !/^\s*-?\d+(\.\d+)?\s*$/.test(value)) return Date.parse(value);
  return Number(value);
}
