import type { Dialog } from './dialog';

/**
 * Shows the rows that mean something only where the chosen device is a gateway (`data-gateway="yes"`).
 * @param more further fields that `alsoNeeded` goes by
 */
export function watchGateway(
  dialog: Dialog,
  more: { fields: readonly string[]; alsoNeeded: () => boolean } = { fields: [], alsoNeeded: () => true },
): void {
  dialog.watch(['device', ...more.fields], () => {
    const isGateway = RED.nodes.node(dialog.value('device'))?.role === 'gateway';
    dialog.showFor('data-gateway', isGateway && more.alsoNeeded() ? 'yes' : 'no');
  });
}
