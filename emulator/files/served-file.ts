import type { Content } from './content';

/** What a file is for, as the operation of the catalogue that tells its address. */
export type FilePurpose = 'ota.upgrade' | 'thing.config.push' | 'thing.model.config.push';

/** A file that devices fetch from a signed address. */
export interface ServedFile {
  readonly fileId: string;
  readonly name: string;
  readonly purpose: FilePurpose;
  readonly content: Content;
  /** Hexadecimal digest; also the ETag. */
  readonly digest: string;
}
