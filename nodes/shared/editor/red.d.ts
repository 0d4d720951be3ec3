// The part of the editor's global API that these dialogs use; the published types lack reasons of validators.

/** A node as the editor keeps it; its own fields stand beside these. */
interface EditorNode {
  id: string;
  type: string;
  valid?: boolean;
  [field: string]: unknown;
}

/** `true`, or the reason why not, in the user's language. Needs two parameters to be taken at its word. */
type FieldValidator = (this: EditorNode, value: unknown, options: unknown) => true | string;

interface FieldDefinition {
  value: string | number | boolean | readonly unknown[];
  type?: string;
  required?: boolean;
  /** Of a reference: which config nodes the list offers. */
  filter?: (node: EditorNode) => boolean;
  validate?: FieldValidator;
}

interface NodeDefinition {
  category: string;
  /** False: a config node that works without a flow node that names it. */
  hasUsers?: boolean;
  color?: string;
  defaults: Record<string, FieldDefinition>;
  credentials?: Record<string, { type: 'text' | 'password'; validate?: FieldValidator }>;
  inputs?: 0 | 1;
  outputs?: number;
  icon?: string;
  align?: 'left' | 'right';
  label?: (this: EditorNode) => string;
  paletteLabel?: () => string;
  labelStyle?: (this: EditorNode) => string;
  inputLabels?: () => string;
  outputLabels?: () => string;
  oneditprepare?: (this: EditorNode) => void;
  oneditsave?: (this: EditorNode) => void;
  oneditcancel?: (this: EditorNode) => void;
}

interface TypedInputType {
  value: string;
  label?: string;
  icon?: string;
  /** False: the label stands in the menu only. */
  showLabel?: boolean;
  hasValue?: boolean;
  options?: readonly string[];
}

interface AutoCompleteEntry {
  value: string;
  label: EditorQuery | string;
}

/** What jQuery and the editor's widgets give for an element. */
interface EditorQuery {
  on(events: string, listener: (event: Event) => void): EditorQuery;
  trigger(event: string): EditorQuery;
  typedInput(options: {
    types: ReadonlyArray<string | TypedInputType>;
    default?: string;
    typeField?: Element;
  }): void;
  typedInput(method: 'type' | 'value', value: string): void;
  autoComplete(options: { minLength: number; search: (text: string) => AutoCompleteEntry[] }): void;
}

interface EditorRequest {
  done(callback: (answer: unknown) => void): EditorRequest;
  fail(callback: () => void): EditorRequest;
}

declare const $: {
  (target: Element): EditorQuery;
  /** Adds the editor's root and the user's token; a relative address works under any path prefix. */
  getJSON(url: string): EditorRequest;
};

declare const RED: {
  _(key: string, values?: Readonly<Record<string, string | number>>): string;
  nodes: {
    registerType(type: string, definition: NodeDefinition): void;
    node(id: string): EditorNode | null;
  };
  clipboard: { copyText(text: string, element: EditorQuery): void };
  validators: {
    typedInput(typeField: string): FieldValidator;
  };
};
