import type { Take } from '../../https/stall-watch';
import type { FirmwareFile } from '../types';

/** Where the bytes of a file come from. */
export interface Source {
  /**
   * Starts to read at an offset.
   * @returns the bytes from `offset` on, which is the one asked for or 0
   * @throws SourceError, AlinkError
   */
  open(file: FirmwareFile, offset: number, signal: AbortSignal): Promise<OpenSource>;
}

export interface OpenSource {
  offset: number;
  /** Once. @throws SourceError, HttpsError, AlinkError, whatever `take` throws */
  read(take: Take): Promise<void>;
}

/**
 * How a source failed. `passing`: worth another try from where it stopped. `expired`: worth another address. `range`:
 * it cannot go on from there. `wrong`: what it gives is not the file. `gone`: nothing will help.
 */
export type SourceProblem = 'passing' | 'expired' | 'range' | 'wrong' | 'gone';

type Values = Readonly<Record<string, string | number>>;

/** `message` never holds the address. */
export class SourceError extends Error {
  override readonly name = 'SourceError';
  readonly #values: Values;

  /** @param rule which reason it is, for whoever says it in another language; undefined for one that has no words there */
  constructor(
    readonly problem: SourceProblem,
    private readonly rule: string | undefined,
    message: string,
    { values = {}, ...options }: ErrorOptions & { values?: Values } = {},
  ) {
    super(message, options);
    this.#values = values;
  }

  /** What an error that it leads to tells of it. */
  get details(): Values {
    return { ...this.#values, reason: this.message, ...(this.rule === undefined ? {} : { rule: this.rule }) };
  }
}
