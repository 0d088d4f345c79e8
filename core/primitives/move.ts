/** The rules of the kinds that move elements without computing: reshape, permute, expand, slice and its transpose, place. */
import { type Cells, cells, each, indexer } from "../backends/reference/cells.ts";
import { expand, permute, place, reduce, reshape, slice } from "../graph/build.ts";
import {
  type ExpandNode,
  type Node,
  type PermuteNode,
  type PlaceNode,
  type ReshapeNode,
  sizeOf,
  type SliceNode,
} from "../graph/node.ts";
import { full } from "../graph/build.ts";
import { linear, type Rule } from "./rule.ts";

/** Reads element source(coordinates) of the input for every element. */
function pick(n: Node, x: Cells, source: (at: readonly number[]) => number[]): Cells {
  const out = cells(n.dtype, sizeOf(n.shape)), at = indexer(n.inputs[0]!.shape);
  each(n.shape, (i, coordinates) => out[i] = x[at(source(coordinates))]!);
  return out;
}

export const reshapeRule: Rule<ReshapeNode> = {
  evaluate: (_, [x]) => x!.slice(),
  vjp: (n, ct) => reshape(ct, n.inputs[0]!.shape),
  jvp: linear((n, x) => reshape(x, n.shape)),
  batch: (n, [x], size) => reshape(x!, [size, ...n.shape]),
};

export const permuteRule: Rule<PermuteNode> = {
  evaluate: (n, [x]) => {
    const inverse = n.axes.map((_, k) => n.axes.indexOf(k));
    return pick(n, x!, (at) => inverse.map((k) => at[k]!));
  },
  vjp: (n, ct) => permute(ct, n.axes.map((_, k) => n.axes.indexOf(k))),
  jvp: linear((n, x) => permute(x, n.axes)),
  batch: (n, [x]) => permute(x!, [0, ...n.axes.map((a) => a + 1)]),
};

export const expandRule: Rule<ExpandNode> = {
  evaluate: (n, [x]) => pick(n, x!, (at) => at.map((c, k) => n.inputs[0]!.shape[k] === 1 ? 0 : c)),
  vjp: (n, ct) => {
    const from = n.inputs[0]!.shape;
    return reduce("sum", ct, [...from.keys()].filter((k) => from[k] !== n.shape[k]));
  },
  jvp: linear((n, x) => expand(x, n.shape)),
  batch: (n, [x], size) => expand(x!, [size, ...n.shape]),
};

export const sliceRule: Rule<SliceNode> = {
  evaluate: (n, [x]) => pick(n, x!, (at) => at.map((c, k) => n.starts[k]! + c * n.steps[k]!)),
  vjp: (n, ct) => place(n.inputs[0]!.shape, [ct], [{ starts: n.starts, steps: n.steps }]),
  jvp: linear((n, x) => slice(x, n.starts, n.shape, n.steps)),
  batch: (n, [x], size) => slice(x!, [0, ...n.starts], [size, ...n.shape], [1, ...n.steps]),
};

export const placeRule: Rule<PlaceNode> = {
  evaluate: (n, xs) => {
    const out = cells(n.dtype, sizeOf(n.shape)).fill(n.fill), at = indexer(n.shape);
    n.placements.forEach(({ starts, steps }, p) => {
      each(n.inputs[p]!.shape, (i, coordinates) => {
        out[at(coordinates.map((c, k) => starts[k]! + c * steps[k]!))] = xs[p]![i]!;
      });
    });
    return out;
  },
  vjp: (n, ct, i) => {
    const { starts, steps } = n.placements[i]!;
    return slice(ct, starts, n.inputs[i]!.shape, steps);
  },
  jvp: (n, tangents) => {
    const parts = tangents.map((t, i) => t ?? full(n.inputs[i]!.shape, 0, n.dtype));
    return place(n.shape, parts, n.placements);
  },
  batch: (n, parts, size) => {
    const placements = n.placements.map(({ starts, steps }) => ({
      starts: [0, ...starts],
      steps: [1, ...steps],
    }));
    return place([size, ...n.shape], parts, placements, n.fill);
  },
};
