import type { Configuration } from './types';

/** What a handle of the device gives. */
export interface ConfigurationHolder {
  /** @throws AlinkError `closed` */
  configuration: () => Configuration;
  track: (undo: () => void) => () => void;
}

/** Configuration of one handle: what listens ends with it, and other handles go on. */
export class ConfigurationHandle implements Configuration {
  constructor(private readonly holder: ConfigurationHolder) {}

  onPush(...given: Parameters<Configuration['onPush']>): () => void {
    return this.holder.track(this.holder.configuration().onPush(...given));
  }

  onModelPush(...given: Parameters<Configuration['onModelPush']>): () => void {
    return this.holder.track(this.holder.configuration().onModelPush(...given));
  }

  async get(...given: Parameters<Configuration['get']>): ReturnType<Configuration['get']> {
    return this.holder.configuration().get(...given);
  }

  async current(): ReturnType<Configuration['current']> {
    return this.holder.configuration().current();
  }

  async model(): ReturnType<Configuration['model']> {
    return this.holder.configuration().model();
  }
}
