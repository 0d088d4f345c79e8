/**
 * The encoder run on shapes alone: every op is its run-time twin, and what flows is a shape. What it tells is
 * which edits of the encoder change or break a shape.
 */
import * as rule from "../../core/shape/mod.ts";
import { toScript } from "./compiler.ts";

interface Stand {
  readonly shape: readonly number[];
}
type Op = (...args: never[]) => unknown;

const B = 2, T = 5;

/** All that the run saw: "op shapes -> shape", each once. */
export interface Trace {
  readonly seen: ReadonlySet<string>;
  /** The text of the error that ended it. */
  readonly error?: string;
}

/** What the encoder imports, on shapes. */
function operations(seen: Set<string>): Readonly<Record<string, Op>> {
  const note = (op: string, from: readonly Stand[], result: rule.Result): Stand => {
    const shape = rule.unwrap(result);
    seen.add(`${op} ${from.map((x) => rule.show(x.shape)).join(" ")} -> ${rule.show(shape)}`);
    return { shape };
  };
  const shapeOf = (x: Stand | number): readonly number[] => typeof x === "number" ? [] : x.shape;
  const binary = (op: string) => (a: Stand, b: Stand | number): Stand =>
    note(op, [a], rule.broadcastShape(op, a.shape, shapeOf(b)));
  const over = (op: string) => (x: Stand, axis: number): Stand =>
    note(op, [x], rule.overAxis(op, x.shape, axis));
  const reduce = (op: string) => (x: Stand, axis?: number): Stand =>
    note(op, [x], rule.reduceShape(op, x.shape, axis));
  const same = (op: string) => (x: Stand): Stand => note(op, [x], { ok: x.shape });
  const fresh = (op: string) => (shape: readonly number[]): Stand =>
    note(op, [], rule.freshShape(shape));
  return {
    add: binary("add"),
    sub: binary("sub"),
    mul: binary("mul"),
    gelu: same("gelu"),
    neg: same("neg"),
    softmax: over("softmax"),
    logSoftmax: over("logSoftmax"),
    sum: reduce("sum"),
    mean: reduce("mean"),
    expandDims: (x: Stand, axis: number) =>
      note("expandDims", [x], rule.expandShape(x.shape, axis)),
    einsum: (equation: string, ...list: readonly Stand[]) =>
      note("einsum", list, rule.einsumShape(equation, list.map((x) => x.shape))),
    rearrange: (x: Stand, pattern: string, sizes: Readonly<Record<string, number>>) =>
      note("rearrange", [x], rule.rearrangeShape(pattern, x.shape, sizes)),
    linear: (x: Stand, w: Stand, b: Stand) =>
      note("linear", [x, w, b], rule.linearShape(x.shape, w.shape, b.shape)),
    layerNorm(x: Stand, gain: Stand, bias: Stand): Stand {
      rule.unwrap(rule.trailingShape("layerNorm", x.shape, gain.shape));
      return note("layerNorm", [x], rule.trailingShape("layerNorm", x.shape, bias.shape));
    },
    embedding: (table: Stand, ids: Stand) =>
      note("embedding", [table, ids], rule.gatherShape("embedding", table.shape, ids.shape, 0)),
    oneHot: (ids: Stand, size: number) => note("oneHot", [ids], rule.oneHotShape(ids.shape, size)),
    normal: fresh("normal"),
    constant: fresh("constant"),
    repeat: (n: number, spec: unknown) => Array.from({ length: n }, () => spec),
    init: (_seed: number, specs: unknown) => specs,
    valueAndGrad:
      (f: (params: unknown, batch: unknown) => Stand) => (params: unknown, batch: unknown) => {
        note("loss", [], rule.expectShapeOf(f(params, batch).shape, []));
        return { grads: params };
      },
  };
}

/** Runs the source of an encoder on shapes. */
export function runOnShapes(source: string): Trace {
  const seen = new Set<string>(), exports: { train?: (batch: unknown) => unknown } = {};
  const module = new Function("require", "exports", toScript(source));
  const ids = { shape: [B, T] }, positions = { shape: [T] };
  try {
    module(() => operations(seen), exports);
    exports.train!({ ids, positions, keep: ids, labels: ids, weight: ids });
    return { seen };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return { seen, error: error.message };
  }
}
