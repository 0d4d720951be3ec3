import { AlinkError } from '../errors';

/** So long, and so often, the platform is told what it waits for. */
const PATIENCE_MS = 3_600_000;
const MOST_TRIES = 5;

/**
 * Waits for the connection, and sends anew what was lost with one: to be told twice does no harm.
 * @param publish sends it once, at QoS 1. @throws AlinkError
 * @throws AlinkError as `publish`
 */
export async function publishPatiently(publish: (timeoutMs: number) => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await publish(PATIENCE_MS);
      return;
    } catch (thrown) {
      const wasLost = thrown instanceof AlinkError && thrown.key === 'disconnected';
      if (!wasLost || tries === MOST_TRIES) throw thrown;
    }
  }
}
