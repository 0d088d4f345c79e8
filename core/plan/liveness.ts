/**
 * A slot for every buffer: results have their own, or that of the input they replace; scratch is shared by buffers that do
 * not live at the same time, the best fit first.
 *
 * @module
 */
import type { Graph } from "../device/device.ts";
import { type Node, sizeOf } from "../graph/node.ts";
import { type Kernel, readsOf, type RowKernel, writesOf } from "./kernels.ts";
import type { Plan, Slot } from "./plan.ts";
import { isPacked } from "./views.ts";

/** May the kernel write `output` over `input`? Yes if it reads only the element that it is about to write. */
export function writesInPlace(k: Kernel, input: Node, output: Node): boolean {
  if (!readsOf(k).includes(input)) return true;
  if (k.kind !== "row" || k.stores.find((s) => s.node === output)!.perRow) return false;
  const space = [...k.outer, k.inner];
  return (k as RowKernel).loads.every((l) => l.base !== input || isPacked(space, l));
}

/** Slots of the kernels' buffers. `donors` gives the input whose memory a result takes. */
export function allocate(
  graph: Graph,
  results: readonly Node[],
  kernels: readonly Kernel[],
  donors: ReadonlyMap<Node, Node>,
): Plan {
  const lastRead = new Map<Node, number>();
  kernels.forEach((k, i) => readsOf(k).forEach((n) => lastRead.set(n, i)));
  const slots: { role: Slot["role"]; index: number; elements: number }[] = [];
  const slotOf = new Map<Node, number>();
  const elements = (n: Node): number => Math.max(1, sizeOf(n.shape));
  const add = (role: Slot["role"], index: number, n: Node): number =>
    slots.push({ role, index, elements: elements(n) }) - 1;
  graph.inputs.forEach((n, i) => slotOf.set(n, add("input", i, n)));
  const outputs = new Map(results.map((n, i) => [n, i]));
  results.forEach((n, i) => {
    if (!graph.donations.has(i)) slotOf.set(n, add("output", i, n));
  });

  const free: number[] = [], copies: { node: Node; from: number; to: number }[] = [];
  let scratch = 0;
  const place = (n: Node): void => {
    const size = elements(n);
    const fits = free.filter((s) => slots[s]!.elements <= 4 * size)
      .sort((p, q) => slots[p]!.elements - slots[q]!.elements);
    const best = fits.find((s) => slots[s]!.elements >= size) ?? fits.at(-1);
    if (best === undefined) slotOf.set(n, add("scratch", scratch++, n));
    else {
      free.splice(free.indexOf(best), 1);
      slots[best]!.elements = Math.max(slots[best]!.elements, size);
      slotOf.set(n, best);
    }
  };
  kernels.forEach((k, i) => {
    for (const n of writesOf(k)) {
      if (slotOf.has(n)) continue;
      const donor = donors.get(n);
      if (donor && (lastRead.get(donor) ?? -1) <= i && writesInPlace(k, donor, n)) {
        slotOf.set(n, slotOf.get(donor)!);
        continue;
      }
      place(n);
      if (donor) copies.push({ node: n, from: slotOf.get(n)!, to: slotOf.get(donor)! });
    }
    for (const n of new Set([...readsOf(k), ...writesOf(k)])) {
      const s = slotOf.get(n)!;
      const kept = slots[s]!.role !== "scratch" || outputs.has(n);
      if (!kept && (lastRead.get(n) ?? i) === i) free.push(s);
    }
  });
  return { kernels, slots, slotOf, copies };
}
