import { isFields, nodeIdText, typeName } from './opcua-values';

export const OBJECTS = 'ns=0;i=85';
const METHOD = 4;
const VARIABLE = 2;
const OBJECT_TYPE = 8;

/** One reference that a browse of `OpcUa-Client` found. */
export interface Reference {
  nodeId: string;
  displayName: string;
  /** With its namespace, as event fields are named. */
  browseName: string;
  nodeClass: number;
  value: unknown;
  type: string | undefined;
}

/** Reads the payload of a browse. */
export function readReferences(payload: unknown): Reference[] {
  if (!Array.isArray(payload)) return [];
  return payload.flatMap((entry): Reference[] => {
    const item: unknown = isFields(entry) && isFields(entry.item) ? entry.item : entry;
    if (!isFields(item)) return [];
    const nodeId = nodeIdText(item.nodeId);
    const { displayName, browseName, nodeClass, value, dataType } = item;
    const shown = isFields(displayName) ? displayName.text : displayName;
    const name = isFields(browseName) ? browseName.name : browseName;
    const label = typeof shown === 'string' ? shown : name;
    if (nodeId === undefined || typeof label !== 'string') return [];
    const namespace = isFields(browseName) ? Number(browseName.namespaceIndex ?? 0) : 0;
    return [
      {
        nodeId,
        displayName: label,
        browseName: `${namespace}:${typeof name === 'string' ? name : label}`,
        nodeClass: Number(nodeClass),
        value,
        type: typeName(dataType),
      },
    ];
  });
}

/**
 * Where a path of display names goes on. Names may hold what separates them, so the longest that fits counts.
 * @param rest for example `Hall 1/Pump.2`
 * @returns the reference and what is left of the path
 */
export function follow(
  references: readonly Reference[],
  rest: string,
): [found: Reference, rest: string] | undefined {
  const [found] = references
    .filter(({ displayName }) => displayName !== '' && rest.startsWith(displayName))
    .filter(
      ({ displayName }) => rest.length === displayName.length || /[/.]/.test(rest[displayName.length] ?? ''),
    )
    .sort((a, b) => b.displayName.length - a.displayName.length);
  return found && [found, rest.slice(found.displayName.length + 1)];
}

/** A path without what stands for the objects folder, where it begins anyway. */
export function startOf(path: string): string {
  return path.replace(/^[/.]+/, '').replace(/^(?:Root[/.])?Objects[/.]/, '');
}

export function variablesOf(references: readonly Reference[]): Reference[] {
  return references.filter(({ nodeClass }) => nodeClass === VARIABLE);
}

export function methodsOf(references: readonly Reference[]): Reference[] {
  return references.filter(({ nodeClass }) => nodeClass === METHOD);
}

export function typesOf(references: readonly Reference[]): Reference[] {
  return references.filter(({ nodeClass }) => nodeClass === OBJECT_TYPE);
}

/** Types of a method's arguments, out of a browse of the method. */
export function argumentTypes(references: readonly Reference[]): string[] {
  const found = references.find(({ browseName }) => browseName.endsWith(':InputArguments'));
  if (!Array.isArray(found?.value)) return [];
  return found.value.map((argument: unknown) => typeName(isFields(argument) ? argument.dataType : 0) ?? '');
}
