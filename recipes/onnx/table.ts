/**
 * Constants that a function makes for its sizes, such as the bucket of every offset up to T: a file holds the one for the greatest
 * sizes, and cuts the others out of it.
 *
 * @module
 */
import { bytesOf, fromHost, type HostArray } from "../../core/dtype.ts";
import { each, indexer } from "../../core/backends/reference/cells.ts";
import type { DataNode, Sizes } from "../../core/graph/node.ts";
import type { Builder } from "./builder.ts";
import { type Joint, sizesOf } from "./joint.ts";
import { sameSizes, type Size } from "./lengths.ts";
import type { Element } from "./model.ts";
import { sliced, windowStarts } from "./move.ts";
import { type Value, written } from "./value.ts";

/** Contents of data, as the host has them. */
export type Contents = (n: DataNode) => HostArray;

/** Elements in the type that they have in a file: f16 and bf16 are computed with as f32. */
export function elementsOf(
  data: HostArray,
  { dtype }: DataNode,
): { readonly element: Element; readonly array: HostArray } {
  if (dtype === "u32") throw new TypeError("Cannot export u32: runtimes have no arithmetic on it");
  if (bytesOf(dtype) === 2) {
    return { element: "f32", array: Float32Array.from(fromHost(data, dtype)) };
  }
  return { element: dtype as "f32" | "i32" | "bool", array: data };
}

/** Is `part` what stands in `whole` from `starts` on? */
function isWindow(
  part: HostArray,
  sizes: Sizes,
  whole: HostArray,
  shape: Sizes,
  starts: readonly number[],
): boolean {
  const at = indexer(shape);
  let same = true;
  each(sizes, (i, where) => {
    same &&= Object.is(part[i], whole[at(where.map((c, k) => c + starts[k]!))]);
  });
  return same;
}

function combinations(choices: readonly (readonly Size[])[]): readonly (readonly Size[])[] {
  return choices.reduce<readonly (readonly Size[])[]>(
    (all, own) => all.flatMap((list) => own.map((choice) => [...list, choice])),
    [[]],
  );
}

/**
 * A constant of every trace, as a window of `greatest`.
 *
 * @throws {TypeError} if it is none: where it depends on the sizes in another way.
 */
export function tableValue(
  b: Builder,
  j: Joint,
  greatest: DataNode,
  contents: Contents,
): Value {
  const at = j.at as readonly DataNode[], sizes = sizesOf(j);
  const whole = greatest.shape.map(b.fixed), table = contents(greatest);
  const isPart = (starts: readonly Size[]): boolean =>
    at.every((n, t) =>
      isWindow(contents(n), n.shape, table, greatest.shape, starts.map((start) => start[t]!))
    );
  const fits = sizes.every((size, k) => size.every((n) => n <= greatest.shape[k]!));
  const starts = fits
    ? combinations(sizes.map((size, k) => windowStarts(b, whole[k]!, size))).find(isPart)
    : undefined;
  if (!starts) {
    throw new TypeError(
      `Cannot export a constant of [${greatest.shape}] that depends on the sizes: those of smaller ones must be windows of it`,
    );
  }
  const { element, array } = elementsOf(table, greatest);
  const all = written(b.tensor(element, greatest.shape, array), whole);
  if (sameSizes(whole, sizes)) return all;
  return sliced(b, all, starts, sizes, sizes.map(() => 1));
}
