import type { Dialog } from './dialog';
import { numberCheck, referenceCheck, validator } from './validate';

export const validDevice = validator(referenceCheck('device'));
/** Empty: 5 s, the runtime's own. */
export const validTimeLimit = validator(numberCheck(0.1, 3600, { integer: false }));

/** Shows the time limit only where a flow answers, and what each way of answering means. */
export function watchReply(
  dialog: Dialog,
  hints: Readonly<Record<'now' | 'flow', string>>,
  more: { fields: readonly string[]; byFlow: () => boolean } = { fields: [], byFlow: () => false },
): void {
  dialog.watch(['reply', ...more.fields], () => {
    const reply = dialog.value('reply') === 'flow' ? 'flow' : 'now';
    dialog.note('reply', hints[reply]);
    dialog.find('[data-row="timeLimit"]').hidden = reply !== 'flow' && !more.byFlow();
  });
}
