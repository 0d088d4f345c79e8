/**
 * Nodes that move elements: permute, slice, place.
 *
 * @module
 */
import type { NodeOf } from "../../core/graph/node.ts";
import type { Builder } from "./builder.ts";
import { scalar } from "./expression.ts";
import { type Joint, sizesOf } from "./joint.ts";
import { isFixed, isOne, sameSize, type Size } from "./lengths.ts";
import { repeated, type Value, written } from "./value.ts";

/** Permutes the axes. */
export function permuted(b: Builder, x: Value, axes: readonly number[]): Value {
  return written(
    b.node("Transpose", [x.name()], { perm: axes }),
    axes.map((axis) => x.sizes[axis]!),
  );
}

/** Before every element: ONNX counts a negative end from the end. */
const BEFORE_ALL = -(2 ** 31);

const plus = (a: Size, b: Size, factor = 1): Size => a.map((n, t) => n + factor * b[t]!);

/** Elements starts[k] + i · steps[k]. */
export function sliced(
  b: Builder,
  x: Value,
  starts: readonly Size[],
  sizes: readonly Size[],
  steps: readonly number[],
): Value {
  const axes = [...sizes.keys()].filter((k) =>
    steps[k] !== 1 || !starts[k]!.every((n) => n === 0) || !sameSize(sizes[k]!, x.sizes[k]!)
  );
  if (axes.length === 0) return x;
  const ends = axes.map((k) => {
    const end = plus(starts[k]!, sizes[k]!, steps[k]!);
    return end.every((n) => n < 0) ? b.fixed(BEFORE_ALL) : end;
  });
  const list = (numbers: readonly number[]): string => b.sizes(numbers.map((n) => b.fixed(n)));
  const from = b.sizes(axes.map((k) => starts[k]!));
  const inputs = [x.name(), from, b.sizes(ends), list(axes), list(axes.map((k) => steps[k]!))];
  return written(
    b.node("Slice", inputs),
    x.sizes.map((size, k) => axes.includes(k) ? sizes[k]! : size),
  );
}

/** The slice of a node. */
export function sliceNode(b: Builder, j: Joint, x: Value): Value {
  const at = j.at as readonly NodeOf<"slice">[], sizes = sizesOf(j), { steps } = at[0]!;
  const starts = sizes.map((_, k) => at.map((n) => n.starts[k]!));
  // What is repeated is the same wherever it is cut.
  const whole = sizes.map((size, k) => isOne(x.sizes[k]!) ? x.sizes[k]! : size);
  const own = steps.map((step, k) => isOne(x.sizes[k]!) ? 1 : step);
  const first = starts.map((start, k) => isOne(x.sizes[k]!) ? b.fixed(0) : start);
  return sliced(b, x, first, whole, own);
}

interface Part {
  readonly value: Value;
  readonly starts: readonly Size[];
  readonly steps: readonly number[];
}

function partsOf(b: Builder, j: Joint, values: readonly Value[]): readonly Part[] {
  const at = j.at as readonly NodeOf<"place">[], rank = at[0]!.shape.length;
  return values.map((value, p) => ({
    value: repeated(b, value, sizesOf(j.inputs[p]!)),
    starts: Array.from({ length: rank }, (_, k) => at.map((n) => n.placements[p]!.starts[k]!)),
    steps: at[0]!.placements[p]!.steps,
  }));
}

/** The axis along which the parts follow one another and leave nothing out. */
function seam(b: Builder, parts: readonly Part[], sizes: readonly Size[]): number | undefined {
  const found = sizes.findIndex((whole, axis) => {
    const covers = parts.every((part) =>
      part.steps.every((step) => step === 1) &&
      sizes.every((size, k) => k === axis || sameSize(part.value.sizes[k]!, size))
    );
    const end = parts.reduce<Size | undefined>(
      (at, { starts, value }) =>
        at && sameSize(starts[axis]!, at) ? plus(at, value.sizes[axis]!) : undefined,
      b.fixed(0),
    );
    return covers && end && sameSize(end, whole);
  });
  return found < 0 ? undefined : found;
}

function padded(b: Builder, { value, starts }: Part, sizes: readonly Size[], fill: string): string {
  const after = sizes.map((size, k) => {
    return plus(plus(size, starts[k]!, -1), value.sizes[k]!, -1);
  });
  return b.node("Pad", [value.name(), b.sizes([...starts, ...after]), fill], { mode: "constant" });
}

/**
 * Parts put into a tensor of one number.
 *
 * @throws {TypeError} if the parts stand apart in a tensor of another number than 0, or with gaps in themselves.
 */
export function placed(b: Builder, j: Joint, values: readonly Value[]): Value {
  const n = j.at[0]! as NodeOf<"place">, sizes = sizesOf(j), parts = partsOf(b, j, values);
  const sorted = parts.toSorted((p, q) => {
    const k = p.starts.findIndex((start, k) => start[0] !== q.starts[k]![0]);
    return k < 0 ? 0 : p.starts[k]![0]! - q.starts[k]![0]!;
  });
  const axis = seam(b, sorted, sizes), names = sorted.map(({ value }) => value.name());
  if (axis !== undefined) return written(b.node("Concat", names, { axis }), sizes);
  const isPlain = n.dtype !== "bool" && n.dtype !== "u32" &&
    parts.every(({ steps }) => steps.every((step) => step === 1)) &&
    (n.fill === 0 || parts.length === 1);
  if (!isPlain) {
    throw new TypeError(
      `Cannot export ${parts.length} parts in a tensor of ${n.dtype} ${n.fill}: they must follow one another, or be one of numbers without gaps`,
    );
  }
  const element = n.dtype === "i32" ? "i32" : "f32", fill = b.fixed(n.fill);
  const alone = parts.map((part) => padded(b, part, sizes, scalar(b, element, fill)));
  return written(alone.reduce((x, y) => b.node("Add", [x, y])), sizes);
}

/** Where the start of a window is known at every point: the first, the middle or the last of a table. */
export function windowStarts(b: Builder, whole: Size, part: Size): readonly Size[] {
  const rest = whole.map((n, t) => n - part[t]!);
  const halves = rest.map((n) => n / 2);
  const zero = b.fixed(0);
  return isFixed(rest) && rest[0] === 0
    ? [zero]
    : [zero, ...halves.every(Number.isInteger) ? [halves] : [], rest];
}
