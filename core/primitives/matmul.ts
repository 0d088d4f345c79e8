/** The rules of `matmul`. */
import { cells } from "../backends/reference/cells.ts";
import { add, cast, matmul, product, transpose } from "../graph/build.ts";
import { type MatmulNode, type Node, sizeOf } from "../graph/node.ts";
import type { Rule } from "./rule.ts";

export const matmulRule: Rule<MatmulNode> = {
  evaluate: (n, [a, b]) => {
    const [m, k] = n.inputs[0]!.shape.slice(-2) as [number, number], columns = n.shape.at(-1)!;
    const out = cells("f32", sizeOf(n.shape));
    for (let i = 0; i < out.length; i++) {
      const batch = Math.floor(i / (m * columns)),
        row = Math.floor(i / columns),
        column = i % columns;
      let sum = 0;
      for (let j = 0; j < k; j++) sum += a![row * k + j]! * b![(batch * k + j) * columns + column]!;
      out[i] = sum;
    }
    return out;
  },
  vjp: (n, ct, i) => {
    const [a, b] = n.inputs as [Node, Node];
    const down = cast(ct, a.dtype);
    return i === 0 ? matmul(down, transpose(b)) : matmul(transpose(a), down);
  },
  jvp: (n, [s, t]) => {
    const [a, b] = n.inputs as [Node, Node];
    if (s && t) return add(product(s, b), product(a, t));
    return s ? product(s, b) : product(a, t!);
  },
  batch: (_, [a, b]) => product(a!, b!),
};
