const PACKAGE = 'node-red-contrib-alink';

/** A text in the user's language from the locale file of one node type. */
export function text(
  type: string,
  key: string,
  values: Readonly<Record<string, string | number>> = {},
): string {
  return RED._(`${PACKAGE}/${type}:${key}`, values);
}

/** A text that several dialogs share; these stand with the platform node, as the runtime's do. */
export function sharedText(key: string, values: Readonly<Record<string, string | number>> = {}): string {
  return text('alink-platform', key, values);
}

/** `${NAME}` in a text is replaced in the runtime, so nothing can be said about it here. */
export function usesEnvironment(value: string): boolean {
  return value.includes('${');
}
