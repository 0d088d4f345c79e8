/**
 * What attention copies into temporary memory before its passes: the small operands; and for the backward pass, of every query, the
 * logarithm of the softmax's denominator and the mean of the weights' gradients.
 *
 *     mean_i = Σ_j P_ij G_ij = dO_i · O_i + Σ_r dS_ir S_ir        (with dropout too: what is dropped is in neither side)
 *
 * @module
 */
import type { AttentionOperand } from "../../graph/fused_kernel.ts";
import type { Operand } from "../../plan/kernels.ts";
import { address, coordinates } from "./address.ts";
import { bindParts, four, headStart, type Parts } from "./attention_parts.ts";
import { load, loadWords, store } from "./bindings.ts";
import { overUnits, type Shader } from "./shader.ts";

const small = ["rows", "keep", "bias", "keys"] as const;

/** Copies the small operands, if there are any. */
function smallShader(p: Parts): Shader[] {
  const { B, H, T, R } = p.kernel.does, reads = small.filter((name) => p.sizes[name]);
  if (!reads.length) return [];
  const shapes = { rows: [2 * T - 1], keep: [B, T], bias: [B, H, R], keys: [B, 2] };
  const bound = bindParts(p, { reads, temporary: "write" });
  const copies = reads.map((name) => {
    const o = p.operands.get(name)!, at = coordinates("unit", shapes[name]);
    const from = address(o.offset, at.map((c, axis) => [c, o.strides[axis]!]));
    const to = address(p.at[name], [["unit", 1]]);
    const copy = store(bound, p.temporary, to, loadWords(bound, o.base, from, 1), 1);
    return `if (unit < ${p.sizes[name]}u) { ${copy} }`;
  });
  const units = Math.max(...reads.map((name) => p.sizes[name]));
  return [overUnits(bound, units, 64, copies.join("\n  "), "small operands")];
}

/** What the backward pass must know of every query. */
function querySums(p: Parts): Shader {
  const { B, H, T, K, R, sums } = p.kernel.does, queries = B * H * T;
  const reads: readonly AttentionOperand[] = ["forward", "dOut", ...sums ? ["dSums" as const] : []];
  const bound = bindParts(p, { reads, temporary: "write" });
  const forward = p.operands.get("forward")!, dSums = p.operands.get("dSums");
  const result = (from: number, terms: readonly (readonly [string, number])[]): string =>
    load(bound, forward, address(forward.offset + from, terms), 1);
  const put = (to: number, terms: readonly (readonly [string, number])[], value: string): string =>
    store(bound, p.temporary, address(to, terms), `bitcast<u32>(${value})`, 1);
  const products = Array.from({ length: Math.ceil(K / 4) }, (_, c) => {
    const out = [0, 1, 2, 3].map((e) => 4 * c + e < K ? result(4 * c + e, [["unit", K]]) : "0f");
    return `mean += dot(${four(p, bound, "dOut", "t", c)}, vec4f(${out.join(", ")}));`;
  });
  const rowSums = (o: Operand): string => {
    const at = address(o.offset, ["b", "h", "t", "r"].map((c, axis) => [c, o.strides[axis]!]));
    return `for (var r = 0u; r < ${R}u; r++) {
    let d = ${load(bound, o, at, 1)};
    mean += d * ${result(queries * (K + 1), [["unit", R], ["r", 1]])};
    ${put(p.at.dSums, [["unit", R], ["r", 1]], "d")}
  }`;
  };
  const [b, h, t] = coordinates("unit", [B, H, T]);
  const body = `let b = ${b}; let h = ${h}; let t = ${t};
  ${headStart(p, bound, "dOut")}
  var mean = 0f;
  ${products.join("\n  ")}
  ${dSums ? rowSums(dSums) : ""}
  ${put(p.at.logs, [["unit", 1]], result(queries * K, [["unit", 1]]))}
  ${put(p.at.means, [["unit", 1]], "mean")}`;
  return overUnits(bound, queries, 64, body, "sums by query");
}

/** The dispatches that fill temporary memory. */
export function packShaders(p: Parts): Shader[] {
  return [...smallShader(p), ...p.kernel.does.op === "attentionGrad" ? [querySums(p)] : []];
}
