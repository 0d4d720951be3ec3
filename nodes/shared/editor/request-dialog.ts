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

/** Makes a choice where the node has none, as in flows that were written by hand or by a program. */
export function chooseMissing(dialog: Dialog, choices: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(choices)) {
    if (dialog.value(name) === '') dialog.set(name, value);
  }
}
