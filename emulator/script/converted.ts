/** What a product's script made of a message, or the code of C.4 that says why there is none. */
export type Converted<T> = { ok: true; value: T } | { ok: false; code: number; reason: string };
