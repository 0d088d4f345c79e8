/**
 * Attention's backward pass, without an atomic addition: one pass whose invocations own queries, one whose invocations own keys. Each
 * computes the weights again, from scores and the kept logarithms, and adds to its own rows alone; so results do not change from run to
 * run.
 *
 *     P = exp(S - log), W = P ∘ M / (1 - rate), G = (dO Vᵀ + dSums) ∘ M / (1 - rate), dS = P ∘ (G - mean)
 *     by queries: dQ = scale dS K, d keyTerm, d bias;  by keys: dK = scale dSᵀ Q, dV = Wᵀ dO, d queryTerm
 *
 * @module
 */
import { address } from "./address.ts";
import { packShaders } from "./attention_pack.ts";
import { addTo, bindParts, packed, type Parts, storeVector } from "./attention_parts.ts";
import { cutOf, orElse, type Pass, passShader, queryScore } from "./attention_pass.ts";
import { type Bindings, store } from "./bindings.ts";
import { overUnits, type Shader, type Target } from "./shader.ts";
import { literal } from "./wgsl_expr.ts";

const range = (n: number): number[] => [...Array(n).keys()];

/** Where each cotangent begins in the result. */
function starts({ kernel: { does } }: Parts) {
  const { B, H, T, K, R } = does, all = B * H * T * K, bias = 3 * all;
  const keyTerm = bias + (does.bias ? B * H * R : 0);
  const queryTerm = keyTerm + (does.keyTerm ? B * H * T * R : 0);
  return { q: 0, k: all, v: 2 * all, bias, keyTerm, queryTerm };
}

/** G of a query's score by a key, from the product of dO and v. */
function weightGradient(
  p: Parts,
  bound: Bindings,
  product: string,
  i: string,
  row: string,
): string {
  const { T, R, sums, dropout } = p.kernel.does;
  const line: [string, number] = [`(head * ${T}u + ${i})`, R];
  const g = sums ? `${product} + ${packed(p, bound, "dSums", [line, [row, 1]])}` : product;
  return dropout > 0 ? `(${g}) * f` : `(${g})`;
}

/** Fours times the scale, stored as row `t` of a part of the result. */
function storeScaled(p: Parts, bound: Bindings, from: number, t: string, sums: readonly string[]) {
  const { scale } = p.kernel.does;
  const scaled = scale === 1
    ? ""
    : sums.map((a) => `${a} *= ${literal(scale, "f32", 1)};`).join(" ");
  return `${scaled} ${storeVector(p, bound, from, t, sums)}`;
}

const scaled = ({ kernel: { does: { scale } } }: Parts, x: string): string =>
  scale === 1 ? x : `${x} * ${literal(scale, "f32", 1)}`;

/** dQ, and what the scores' gradients come to by query and row. */
function queryPass(p: Parts, tile: number): Pass {
  const { T, R, bias, keyTerm, dropout } = p.kernel.does, from = starts(p);
  const query = (part: "logs" | "means", bound: Bindings, r: number): string =>
    packed(p, bound, part, [["head", T], [`t${r}`, 1]]);
  /** Numbers by query and row: where, where they begin, and a weight's gradient in them. */
  const lines = [
    ...bias ? [["temporary", p.at.rowSums, (x: string) => x] as const] : [],
    ...keyTerm ? [["store", from.keyTerm, (x: string) => scaled(p, x)] as const] : [],
  ];
  const line = (n: number, r: number, row: string): string =>
    address(lines[n]![1], [[`(head * ${T}u + t${r})`, R], [row, 1]]);
  return {
    streams: [{ name: "k", by: "q", add: true }, { name: "v", by: "dOut" }],
    touched: {
      reads: ["q", "k", "v", "dOut", "keyTerm", "queryTerm"],
      temporary: bias ? "write" : "read",
      store: true,
    },
    start: (bound, r) => {
      const zeros = lines.map(([where], n) =>
        store(
          bound,
          where === "store" ? p.kernel.store : p.temporary,
          line(n, r, "n"),
          where === "store" ? "0f" : "0u",
          1,
        )
      );
      const clear = lines.length
        ? `if (is${r}) { for (var n = 0u; n < ${R}u; n++) { ${zeros.join(" ")} } }`
        : "";
      return `let log${r} = ${query("logs", bound, r)}; let mean${r} = ${query("means", bound, r)};
  ${clear}`;
    },
    weigh: (bound, r, block) =>
      range(block).map((l) => {
        const g = weightGradient(p, bound, `s1_${r}_${l}`, `t${r}`, `i${r}_${l}`);
        const slope = `exp_of(z${r}_${l} - log${r}) * (${g} - mean${r})`;
        const factor = dropout > 0 ? `let f = drop_of(head, t${r}, u${l});` : "";
        const adds = lines.map(([where, , of], n) =>
          addTo(p, bound, where, line(n, r, `i${r}_${l}`), of(`w0_${r}_${l}`))
        );
        const there = T % tile ? `is${r} && in${l}` : `is${r}`;
        return `var w0_${r}_${l} = 0f; { ${queryScore(p, r, l)} ${factor} w0_${r}_${l} = ${
          orElse(p, l, tile, slope, "0f")
        };${adds.length ? ` if (${there}) { ${adds.join(" ")} }` : ""} }`;
      }).join("\n    "),
    finish: (bound, r, sums) => storeScaled(p, bound, from.q, `t${r}`, sums(0)),
  };
}

/** dK and dV, and what the scores' gradients come to by key and row. */
function keyPass(p: Parts, tile: number): Pass {
  const { T, R, queryTerm, dropout } = p.kernel.does, from = starts(p);
  const line = (r: number, row: string): string =>
    address(from.queryTerm, [[`(head * ${T}u + t${r})`, R], [row, 1]]);
  return {
    streams: [{ name: "q", by: "k", add: true }, { name: "dOut", by: "v", add: true }],
    touched: {
      reads: ["q", "k", "v", "dOut", "keyTerm", "queryTerm"],
      temporary: "read",
      store: true,
    },
    start: (bound, r) =>
      queryTerm
        ? `if (is${r}) { for (var n = 0u; n < ${R}u; n++) { ${
          store(bound, p.kernel.store, line(r, "n"), "0f", 1)
        } } }`
        : "",
    each: (bound, l) => {
      const of = (part: "logs" | "means"): string =>
        packed(p, bound, part, [["head", T], [`u${l}`, 1]]);
      return `let log${l} = ${of("logs")}; let mean${l} = ${of("means")};`;
    },
    weigh: (bound, r, block) =>
      range(block).map((l) => {
        const row = R > 0 ? `let i = row_of(u${l}, t${r});` : "let i = 0u;";
        const factor = dropout > 0 ? `let f = drop_of(head, u${l}, t${r});` : "";
        const score = `score_of(s0_${r}_${l}, head, u${l}, t${r}, i)`;
        const weight = orElse(p, l, tile, `exp_of(${score} - log${l})`, "0f");
        const g = weightGradient(p, bound, `s1_${r}_${l}`, `u${l}`, "i");
        const slope = orElse(p, l, tile, `p * (${g} - mean${l})`, "0f");
        const there = T % tile ? `is${r} && in${l}` : `is${r}`;
        const add = queryTerm
          ? `if (${there}) { ${addTo(p, bound, "store", line(r, "i"), scaled(p, `w0_${r}_${l}`))} }`
          : "";
        return `var w0_${r}_${l} = 0f; var w1_${r}_${l} = 0f; { ${row} ${factor} let p = ${weight}; ` +
          `w0_${r}_${l} = ${slope}; w1_${r}_${l} = ${dropout > 0 ? "p * f" : "p"}; ${add} }`;
      }).join("\n    "),
    finish: (bound, r, sums) =>
      `${storeScaled(p, bound, from.k, `t${r}`, sums(0))} ${
        storeVector(p, bound, from.v, `t${r}`, sums(1))
      }`,
  };
}

/** d bias: the row sums of all queries of a head. */
function biasShader(p: Parts): Shader {
  const { B, H, T, R } = p.kernel.does;
  const bound = bindParts(p, { reads: [], temporary: "read", store: true });
  const one = packed(p, bound, "rowSums", [["head", T * R], ["t", R], ["r", 1]]);
  const body = `let head = unit / ${R}u; let r = unit % ${R}u; var sum = 0f;
  for (var t = 0u; t < ${T}u; t++) { sum += ${one}; }
  ${store(bound, p.kernel.store, address(starts(p).bias, [["unit", 1]]), "sum", 1)}`;
  return overUnits(bound, B * H * R, 64, body, "bias");
}

/** The dispatches of the backward pass. */
export function attentionGradShaders(p: Parts, target: Target): Shader[] {
  const { does } = p.kernel, byQuery = cutOf(target, does, 3, 2), byKey = cutOf(target, does, 4, 2);
  return [
    ...packShaders(p),
    passShader(p, queryPass(p, byQuery.tile), byQuery, target, "queries"),
    passShader(p, keyPass(p, byKey.tile), byKey, target, "keys"),
    ...does.bias ? [biasShader(p)] : [],
  ];
}
