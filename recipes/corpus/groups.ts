/**
 * Groups of numbers that grow together: a forest with the smallest number of each group at its root.
 *
 * @module
 */

/** Groups of 0 … n-1, each alone at first. */
export interface Groups {
  join(a: number, b: number): void;
  /** The groups of more than one, each ascending. */
  groups(): readonly (readonly number[])[];
}

/** Union and find with halved paths. */
export function groupsOf(n: number): Groups {
  const parent = Uint32Array.from({ length: n }, (_, i) => i);
  const root = (i: number): number => {
    while (parent[i] !== i) i = parent[i] = parent[parent[i]!]!;
    return i;
  };
  return {
    join(a, b) {
      const [x, y] = [root(a), root(b)];
      if (x < y) parent[y] = x;
      else parent[x] = y;
    },
    groups() {
      const found = new Map<number, number[]>();
      for (let i = 0; i < n; i++) {
        const top = root(i);
        if (top === i) continue;
        const group = found.get(top);
        if (group) group.push(i);
        else found.set(top, [top, i]);
      }
      return [...found.values()];
    },
  };
}
