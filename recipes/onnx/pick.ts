/**
 * Gather, and scatter, which adds up.
 *
 * @module
 */
import type { NodeOf } from "../../core/graph/node.ts";
import type { Builder } from "./builder.ts";
import { choice, literal, scalar } from "./expression.ts";
import { type Joint, sizesOf } from "./joint.ts";
import { isOne, sameSizes, type Size } from "./lengths.ts";
import { ELEMENTS } from "./model.ts";
import { repeated, reshaped, squeezed, type Value, written } from "./value.ts";

/** Ids that are in a table of V rows, and where they were in it before. */
interface SafeIds {
  readonly ids: Value;
  readonly inside?: Value;
}

/** Ids outside a table read 0 and add nothing here; runtimes refuse them, or read what lies there. */
function safe(b: Builder, ids: Value, V: Size, areInside: boolean): SafeIds {
  if (areInside) return { ids };
  const zero = literal(b, "i32", 0), size = scalar(b, "i32", V);
  const inside = b.node("And", [
    b.node("GreaterOrEqual", [ids.name(), zero]),
    b.node("Less", [ids.name(), size]),
  ]);
  return {
    ids: written(b.node("Where", [inside, ids.name(), zero]), ids.sizes),
    inside: written(inside, ids.sizes),
  };
}

/** As i64 with one more axis of size 1, which ONNX's general operators ask for. */
function asIndices(b: Builder, ids: Value): Value {
  const wide = written(b.node("Cast", [ids.name()], { to: ELEMENTS.i64 }), ids.sizes);
  return reshaped(b, wide, [...ids.sizes, b.fixed(1)]);
}

const isRepeated = (value: Value, axes: number): boolean => value.sizes.slice(0, axes).every(isOne);

/** x [...G, V, ...R] at ids [...G, ...N]. `areInside`: no id is known to be outside 0..V-1, nor can be. */
export function gathered(
  b: Builder,
  j: Joint,
  x: Value,
  given: Value,
  areInside: boolean,
): Value {
  const n = j.at[0] as NodeOf<"gather">, { batch } = n, [table, list] = j.inputs as [Joint, Joint];
  const whole = sizesOf(table), V = whole[batch]!, rest = whole.slice(batch + 1);
  const { ids, inside } = safe(b, given, V, areInside), all = sizesOf(list);
  // The row itself, or rows that come one after another.
  const rows = repeated(b, x, whole.map((size, k) => k < batch ? x.sizes[k]! : size));
  const found = ((): Value => {
    if (isRepeated(ids, batch)) {
      const own = squeezed(b, ids, [...Array(batch).keys()]);
      return written(b.node("Gather", [rows.name(), own.name()], { axis: batch }), [
        ...rows.sizes.slice(0, batch),
        ...own.sizes,
        ...rest,
      ]);
    }
    const [full, wide] = [repeated(b, x, whole), repeated(b, ids, all)];
    if (rest.length === 0 && all.length === batch + 1) {
      return written(b.node("GatherElements", [full.name(), wide.name()], { axis: batch }), all);
    }
    const names = [full.name(), asIndices(b, wide).name()];
    return written(b.node("GatherND", names, { batch_dims: batch }), [...all, ...rest]);
  })();
  if (!inside) return found;
  const ones = rest.map(() => b.fixed(1));
  const holds = reshaped(b, inside, [...inside.sizes, ...ones]);
  const element = n.dtype === "i32" ? "i32" : n.dtype === "bool" ? "bool" : "f32";
  return written(
    choice(b, element === "bool", [holds.name(), found.name(), literal(b, element, 0)]),
    found.sizes.map((size, k) => isOne(size) ? holds.sizes[k]! : size),
  );
}

/**
 * ids [...G, ...N], updates [...G, ...N, ...R], added up by id: [...G, V, ...R].
 *
 * @throws {TypeError} if there are axes of G and of R.
 */
export function scattered(
  b: Builder,
  j: Joint,
  given: Value,
  updates: Value,
  areInside: boolean,
): Value {
  const n = j.at[0] as NodeOf<"scatter">, { batch } = n, [list, added] = j.inputs as [Joint, Joint];
  const sizes = sizesOf(j),
    all = sizesOf(list),
    { ids, inside } = safe(
      b,
      given,
      sizes[batch]!,
      areInside,
    );
  const rest = sizes.slice(batch + 1), element = n.dtype === "i32" ? "i32" : "f32";
  const zero = literal(b, element, 0);
  const base = b.node("Expand", [zero, b.sizes(sizes)]);
  const full = repeated(b, updates, sizesOf(added)), wide = repeated(b, ids, all);
  const holds = inside && reshaped(b, repeated(b, inside, all), [
    ...all,
    ...rest.map(() => b.fixed(1)),
  ]);
  const parts = holds ? b.node("Where", [holds.name(), full.name(), zero]) : full.name();
  if (rest.length === 0 && all.length === batch + 1) {
    const names = [base, wide.name(), parts];
    return written(
      b.node("ScatterElements", names, { axis: batch, reduction: "add" }),
      sizes,
    );
  }
  if (batch > 0) {
    throw new TypeError(
      `Cannot export a sum by ids along axis ${batch} of ${sizes.length}: ids must be of the first axis, or of the last`,
    );
  }
  const names = [base, asIndices(b, wide).name(), parts];
  return written(b.node("ScatterND", names, { reduction: "add" }), sizes);
}

/** Are these ids 0, 1, 2 … of the whole table? Then a gather along the first axis is the table. */
export function isWholeTable(j: Joint): boolean {
  const [table, ids] = j.inputs as [Joint, Joint];
  return (j.at[0] as NodeOf<"gather">).batch === 0 && ids.at[0]!.kind === "iota" &&
    sameSizes(sizesOf(ids), sizesOf(table).slice(0, 1));
}
