/** Random graphs of every kind of node, from a list of numbers: fast-check shrinks the list. */
import * as X from "../../core/expr/expr.ts";
import * as build from "../../core/graph/build.ts";
import { makeNode, type Node, sameShape, sizeOf, type Sizes } from "../../core/graph/node.ts";
import type { Graph } from "../../core/device/device.ts";

/** Gives numbers from 0 to n - 1. */
export type Draw = (n: number) => number;

function factored(draw: Draw, size: number): number[] {
  const out: number[] = [];
  let rest = size;
  while (rest > 1 && out.length < 3) {
    const divisors = Array.from({ length: rest }, (_, i) => i + 1).filter((d) => rest % d === 0);
    const d = divisors[draw(divisors.length)]!;
    out.push(d);
    rest /= d;
  }
  return rest > 1 ? [...out, rest] : out;
}

const unary: readonly ((x: X.Expr) => X.Expr)[] = [
  X.tanh,
  X.neg,
  (x) => X.mul(x, 0.5),
  (x) => X.exp(X.neg(X.abs(x))),
  (x) => X.max(x, 0),
];
const binary = [X.add, X.sub, X.mul, X.max, (a: X.Expr, b: X.Expr) => X.select(X.gt(a, b), a, b)];

/** One more node made of those before. All are f32 of at most 128 elements. */
function grow(draw: Draw, nodes: readonly Node[]): Node {
  // Recent nodes more often: graphs are deep as well as wide.
  const pick = (): Node =>
    nodes[draw(2) ? draw(nodes.length) : nodes.length - 1 - draw(Math.min(3, nodes.length))]!;
  const x = pick(), rank = x.shape.length, axis = rank ? draw(rank) : 0;
  switch (draw(16)) {
    case 0:
    case 1:
      return build.compute(unary[draw(unary.length)]!, [x]);
    case 2:
    case 3:
    case 4: {
      const fits = nodes.filter((n) =>
        n.shape.length <= rank &&
        n.shape.every((s, i) => s === 1 || s === x.shape[i + rank - n.shape.length])
      );
      return build.compute(
        binary[draw(binary.length)]!,
        draw(2) ? [x, fits[draw(fits.length)]!] : [fits[draw(fits.length)]!, x],
      );
    }
    case 5:
    case 6: {
      const axes = [...x.shape.keys()].filter(() => draw(2));
      const r = build.reduce((["sum", "max", "min"] as const)[draw(3)]!, x, axes);
      return build.compute((e) => X.mul(e, 0.25), [r]);
    }
    case 7: {
      const left = [...x.shape.keys()];
      return build.permute(x, x.shape.map(() => left.splice(draw(left.length), 1)[0]!));
    }
    case 8:
      return build.reshape(x, factored(draw, sizeOf(x.shape)));
    case 9: {
      const sizes = x.shape.map((n) => 1 + draw(n)), backwards = x.shape.map(() => draw(2));
      const steps = sizes.map((s, i) =>
        (s * 2 <= x.shape[i]! + 1 && draw(2) ? 2 : 1) * (backwards[i] ? -1 : 1)
      );
      const starts = sizes.map((s, i) => {
        const room = x.shape[i]! - 1 - (s - 1) * Math.abs(steps[i]!), low = draw(room + 1);
        return steps[i]! < 0 ? low + (s - 1) * -steps[i]! : low;
      });
      return build.slice(x, starts, sizes, steps);
    }
    case 10: {
      if (!rank || sizeOf(x.shape) > 60) return x;
      const y = pick(), fits = sameShape(y.shape, x.shape) ? y : x, n = x.shape[axis]!;
      const starts = x.shape.map(() => 0), steps = x.shape.map(() => 1);
      return build.place(x.shape.with(axis, 2 * n + 1), [x, fits], [
        { starts, steps },
        draw(2)
          ? { starts: starts.with(axis, n + 1), steps }
          : { starts: starts.with(axis, 2 * n), steps: steps.with(axis, -1) },
      ], draw(2));
    }
    case 11: {
      if (!rank) return x;
      const ids = build.compute((e) => X.cast(X.mul(e, 3), "i32"), [
        build.reshape(x, [sizeOf(x.shape)]),
      ]);
      const few = build.slice(ids, [0], [Math.min(3, ids.shape[0]!)]);
      if (draw(2)) return build.gather(x, few);
      const updates = build.slice(
        x,
        x.shape.map(() => 0),
        x.shape.with(0, Math.min(x.shape[0]!, few.shape[0]!)),
      );
      return build.scatter(build.slice(few, [0], [updates.shape[0]!]), updates, 3);
    }
    case 12:
    case 13: {
      const m = rank >= 2 ? x : build.reshape(x, [sizeOf(x.shape), 1]);
      const t = build.transpose(m), p = draw(2) ? build.product(m, t) : build.product(t, m);
      return sizeOf(p.shape) > 128 ? x : build.compute((e) => X.mul(e, 0.1), [p]);
    }
    case 14:
      return build.alias(x, [pick()]);
    default: {
      const shape: Sizes = [2, 3];
      return draw(2)
        ? build.compute((e) => X.cast(e, "f32"), [build.coordinate(shape, draw(2))])
        : build.full(draw(2) ? shape : [], draw(3) - 1);
    }
  }
}

/** A graph of about `steps` nodes, with views, inputs and repetitions among its outputs, and donations. */
export function randomGraph(draw: Draw, steps: number): Graph {
  const shapes: Sizes[] = [[2, 3], [4, 6], [6], [2, 3], [2, 2, 3]];
  const inputs = shapes.map((shape) =>
    makeNode({ kind: "input", shape, dtype: "f32", inputs: [] })
  );
  const nodes: Node[] = [...inputs];
  for (let i = 0; i < steps; i++) nodes.push(grow(draw, nodes));
  const outputs = [nodes.at(-1)!];
  for (let i = 0; i < 3; i++) outputs.push(nodes[draw(nodes.length)]!);
  const donations = new Map<number, number>();
  outputs.forEach((n, o) => {
    const i = inputs.findIndex((m, k) =>
      sameShape(m.shape, n.shape) && ![...donations.values()].includes(k)
    );
    if (i >= 0 && draw(3)) donations.set(o, i);
  });
  return { inputs, outputs, donations };
}
