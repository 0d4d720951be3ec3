import { identityProblem, isJsonObject, type Json, type JsonObject } from '../protocol';

/** What is wrong with a configuration, and where: `products[0].devices[2].deviceName`. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  constructor(
    readonly path: string,
    readonly reason: string,
  ) {
    super(`${path}: ${reason}`);
  }
}

/** Reads the fields of one object; unknown ones are faults, because they are mostly misspelt ones. */
export class Reader {
  private readonly object: JsonObject;

  constructor(
    value: Json | undefined,
    private readonly path: string,
    known: readonly string[],
  ) {
    if (!isJsonObject(value)) throw new ConfigError(path, 'must be an object');
    this.object = value;
    for (const name of Object.keys(value)) {
      if (!known.includes(name))
        throw new ConfigError(this.at(name), `is unknown; known are ${known.join(', ')}`);
    }
  }

  value(name: string): Json | undefined {
    const value = Object.hasOwn(this.object, name) ? this.object[name] : undefined;
    return value === null ? undefined : value;
  }

  text(name: string): string {
    const value = this.value(name);
    if (typeof value !== 'string' || value === '') throw new ConfigError(this.at(name), 'must be a text');
    return value;
  }

  optionalText(name: string): string | undefined {
    return this.value(name) === undefined ? undefined : this.text(name);
  }

  /** A text that can be a productKey or deviceName. */
  name(name: string): string {
    const text = this.text(name);
    const problem = identityProblem(text);
    if (problem !== undefined)
      throw new ConfigError(this.at(name), `"${text}" cannot be a name (${problem})`);
    return text;
  }

  boolean(name: string): boolean | undefined {
    const value = this.value(name);
    if (value !== undefined && typeof value !== 'boolean') {
      throw new ConfigError(this.at(name), 'must be true or false');
    }
    return value;
  }

  choice<T extends string>(name: string, choices: readonly T[]): T | undefined {
    const value = this.value(name);
    if (value === undefined) return undefined;
    const chosen = choices.find((choice) => choice === value);
    if (chosen === undefined) throw new ConfigError(this.at(name), `must be one of ${choices.join(', ')}`);
    return chosen;
  }

  list(name: string): Json[] {
    const value = this.value(name);
    if (value === undefined) return [];
    if (!Array.isArray(value)) throw new ConfigError(this.at(name), 'must be a list');
    return value;
  }

  private at(name: string): string {
    return this.path === 'config' ? name : `${this.path}.${name}`;
  }
}

/** @throws ConfigError when there is one */
export function refuse(path: string, problem: string | undefined): void {
  if (problem !== undefined) throw new ConfigError(path, problem);
}

/** @throws ConfigError at the second of two that are alike */
export function unique(texts: readonly string[], path: (i: number) => string): void {
  const seen = new Set<string>();
  texts.forEach((text, i) => {
    if (seen.has(text)) throw new ConfigError(path(i), `"${text}" is there twice`);
    seen.add(text);
  });
}

type Present<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** Leaves out what is undefined. */
export function present<T extends object>(object: T): Present<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Present<T>;
}
