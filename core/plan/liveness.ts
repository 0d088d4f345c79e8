/**
 * A slot for every buffer. Inputs and results have their own, a result that replaces an input has that input's. Scratch is
 * shared by buffers that do not live at the same time: in place where a kernel may, else the best fit.
 *
 * @module
 */
import type { Graph } from "../device/device.ts";
import { type Node, sizeOf } from "../graph/node.ts";
import { inPlaceStore } from "./in_place.ts";
import { type Kernel, readsOf, writesOf } from "./kernels.ts";
import { type Halves, type Plan, type Slot, wordsOf } from "./plan.ts";

/** A slot is not given to a buffer of less than this part of it: a larger one may need it soon. */
const LOOSEST_FIT = 4;

type Growing = { -readonly [K in keyof Slot]: Slot[K] };

/** The input whose memory a result takes, and those of them that a kernel may write there itself. */
export interface Donors {
  readonly donors: ReadonlyMap<Node, Node>;
  readonly inPlace: ReadonlyMap<Node, Node>;
}

/** Slots of the kernels' buffers. */
export function allocate(
  graph: Graph,
  results: readonly Node[],
  kernels: readonly Kernel[],
  { donors, inPlace }: Donors,
  halves?: Halves,
): Omit<Plan, "composed"> {
  const lastRead = new Map<Node, number>(), slotOf = new Map<Node, number>();
  kernels.forEach((k, i) => readsOf(k).forEach((n) => lastRead.set(n, i)));
  const slots: Growing[] = [], free: number[] = [];
  const copies: { node: Node; from: number; to: number }[] = [];
  let scratch = 0;
  const words = (n: Node): number => Math.max(1, wordsOf(n, halves));
  const add = (role: Slot["role"], index: number, n: Node): void => {
    slotOf.set(n, slots.push({ role, index, words: words(n) }) - 1);
  };
  graph.inputs.forEach((n, i) => add("input", i, n));
  results.forEach((n, i) => {
    if (!graph.donations.has(i)) add("output", i, n);
  });
  // A result that could not take its input's place is kept until the copies at the end.
  const isResult = new Set(results);
  const isScratch = (n: Node): boolean =>
    slots[slotOf.get(n)!]!.role === "scratch" && !isResult.has(n);

  function placed(n: Node): void {
    const size = words(n);
    let best = -1;
    free.forEach((s, at) => {
      const has = slots[s]!.words, now = best < 0 ? 0 : slots[free[best]!]!.words;
      if (has > LOOSEST_FIT * size) return;
      if (best < 0 || (has >= size ? now < size || has < now : has > now)) best = at;
    });
    if (best < 0) return add("scratch", scratch++, n);
    const slot = free.splice(best, 1)[0]!;
    slots[slot]!.words = Math.max(slots[slot]!.words, size);
    slotOf.set(n, slot);
  }

  kernels.forEach((k, i) => {
    const dying = new Set(readsOf(k).filter((n) => isScratch(n) && lastRead.get(n) === i));
    for (const n of writesOf(k)) {
      if (slotOf.has(n)) continue;
      const donor = donors.get(n);
      if (
        donor && inPlace.has(n) && (lastRead.get(donor) ?? -1) <= i && inPlaceStore(k, donor, n)
      ) {
        slotOf.set(n, slotOf.get(donor)!);
        continue;
      }
      const heir = [...dying].find((m) =>
        m.dtype === n.dtype && sizeOf(m.shape) === sizeOf(n.shape) && inPlaceStore(k, m, n)
      );
      if (heir) {
        slotOf.set(n, slotOf.get(heir)!);
        dying.delete(heir);
      } else placed(n);
      if (donor) copies.push({ node: n, from: slotOf.get(n)!, to: slotOf.get(donor)! });
    }
    dying.forEach((n) => free.push(slotOf.get(n)!));
    for (const n of writesOf(k)) if (isScratch(n) && !lastRead.has(n)) free.push(slotOf.get(n)!);
  });
  return { kernels, slots, slotOf, copies };
}
