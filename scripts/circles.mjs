/**
 * Groups of files that import each other in a loop (Tarjan's strongly connected components).
 * @param {ReadonlyMap<string, readonly string[]>} imports targets by file; those that are no keys are ignored
 * @returns {string[][]}
 */
export function circles(imports) {
  /** @type {Map<string, number>} */
  const order = new Map();
  /** @type {Map<string, number>} */
  const lowest = new Map();
  /** @type {string[]} */
  const path = [];
  const onPath = new Set();
  /** @type {string[][]} */
  const found = [];

  /** @param {string} file */
  const visit = (file) => {
    order.set(file, order.size);
    lowest.set(file, order.get(file) ?? 0);
    path.push(file);
    onPath.add(file);
    for (const target of imports.get(file) ?? []) {
      if (!imports.has(target)) continue;
      if (!order.has(target)) visit(target);
      else if (!onPath.has(target)) continue;
      const reached = Math.min(lowest.get(file) ?? 0, lowest.get(target) ?? 0);
      lowest.set(file, reached);
    }
    if (lowest.get(file) !== order.get(file)) return;
    const circle = path.splice(path.indexOf(file));
    for (const member of circle) onPath.delete(member);
    if (circle.length > 1) found.push(circle.sort());
  };

  for (const file of imports.keys()) if (!order.has(file)) visit(file);
  return found;
}
