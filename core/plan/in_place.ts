/**
 * Writing over what is read.
 *
 * @module
 */
import type { Node } from "../graph/node.ts";
import { type Kernel, readsOf } from "./kernels.ts";
import { isPacked } from "./views.ts";

/** May the kernel write `output` into the memory of `input`? Only if it reads no other element of it than the one it writes. */
export function inPlaceStore(k: Kernel, input: Node, output: Node): boolean {
  if (!readsOf(k).includes(input)) return true;
  const store = k.kind === "row" && k.stores.find((s) => s.node === output);
  if (k.kind !== "row" || !store || store.perRow) return false;
  const space = [...k.outer, k.inner];
  return k.loads.every((l) => l.base !== input || isPacked(space, l));
}
