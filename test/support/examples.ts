import type { FlowNode } from './runtime';

/** Buttons of example 25 for the flow that a user imports first; tested with it. */
const NAMES = ['values of pump-01', 'open its valve'];

/** Such buttons of a flow and what is right behind them, by id. */
export function neededLater(flow: readonly FlowNode[]): ReadonlySet<string> {
  const buttons = flow.filter(({ type, name }) => type === 'inject' && NAMES.includes(String(name)));
  return new Set(buttons.flatMap(({ id, wires }) => [id, ...(wires as string[][]).flat()]));
}
