import type { DownloadsShown } from '../shared/status';

/** One download of several. */
export interface Tallied {
  /** It has begun, and come so far. */
  tell(doneBytes: number): void;
  /** It has ended. @param isWhole false: it failed or was given up, so it counts no more */
  end(isWhole: boolean): void;
}

/**
 * Adds the downloads of one node up: a gateway's sub-devices are offered firmware all at once. What was loaded
 * counts until all have ended, so that the sum does not go back.
 */
export class DownloadTally {
  #loading = 0;
  #waiting = 0;
  #doneBytes = 0;
  #totalBytes = 0;

  constructor(private readonly show: (tally: DownloadsShown) => void) {}

  /** Whether none goes on or waits. */
  get isOver(): boolean {
    return this.#loading + this.#waiting === 0;
  }

  add(totalBytes: number): Tallied {
    let state: 'waiting' | 'loading' | 'ended' = 'waiting';
    let done = 0;
    this.#waiting++;
    this.#totalBytes += totalBytes;
    const tell = (bytes: number) => {
      this.#doneBytes += bytes - done;
      done = bytes;
      this.#show();
    };
    this.#show();
    return {
      tell: (bytes) => {
        if (state === 'ended') return;
        if (state === 'waiting') {
          this.#waiting--;
          this.#loading++;
          state = 'loading';
        }
        tell(bytes);
      },
      end: (isWhole) => {
        if (state === 'ended') return;
        if (state === 'waiting') this.#waiting--;
        else this.#loading--;
        state = 'ended';
        if (this.isOver) this.#doneBytes = this.#totalBytes = 0;
        else if (isWhole) tell(totalBytes);
        else {
          this.#totalBytes -= totalBytes;
          tell(0);
        }
      },
    };
  }

  #show(): void {
    this.show({
      loading: this.#loading,
      waiting: this.#waiting,
      doneBytes: this.#doneBytes,
      totalBytes: this.#totalBytes,
    });
  }
}
