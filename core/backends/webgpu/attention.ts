/**
 * Attention's forward pass: an invocation owns queries, walks all keys with a running maximum and rescales what it has summed up as
 * that grows, so that scores exist only in registers. The sums by row, if they are asked for, are a second pass.
 *
 * The kernels are taken where the T x T scores of all heads would take `Target.scoreBytes` (4 MiB) or more, and K is at most 128; else the
 * composite is computed, and `explain` says why. `deno task bench --device webgpu --filter attention` measures both, forward and
 * gradients, where the scores take 4, 16 and 64 MiB: on a software adapter they are about even at the first and the kernels ahead from
 * the second on, with terms sooner than without, and in a fraction of the scratch memory. Below, what they are ahead does not earn back
 * the seconds that a driver takes to compile them. What the limit ought to be on a real GPU has not been measured.
 *
 * Accuracy: the gradient by a score subtracts dO · out + dSums · sums, rounded apart from what it cancels with, so that gradients by the
 * operands of a softmax that has nearly all its weight on one key are good to an ulp of that sum, not of their own.
 *
 * Source: Milakov and Gimelshein 2018 (online softmax); Dao et al. 2022 (FlashAttention).
 *
 * @module
 */
import type { AttentionKernel } from "../../graph/fused_kernel.ts";
import { showBytes } from "../../plan/explain.ts";
import type { HandKernel } from "../../plan/kernels.ts";
import { address } from "./address.ts";
import { attentionGradShaders } from "./attention_grad.ts";
import { packShaders } from "./attention_pack.ts";
import {
  addTo,
  attentionTemporary,
  LOWEST,
  type Parts,
  partsOf,
  storeVector,
} from "./attention_parts.ts";
import { cutOf, orElse, type Pass, passShader, queryScore } from "./attention_pass.ts";
import { load, type SlotOf, store } from "./bindings.ts";
import type { Shader, Target } from "./shader.ts";

const range = (n: number): number[] => [...Array(n).keys()];

/** out and log Σ exp. */
function outPass(p: Parts, tile: number): Pass {
  const { B, H, T, K, dropout } = p.kernel.does;
  const weigh: Pass["weigh"] = (_, r, block) => {
    const L = range(block), z = L.map((l) => `y${r}_${l}`);
    return [
      ...L.map((l) =>
        `${queryScore(p, r, l)} let ${z[l]} = ${orElse(p, l, tile, `z${r}_${l}`, LOWEST)};`
      ),
      `let top${r} = ${z.reduce((a, b) => `max(${a}, ${b})`, `most${r}`)};`,
      `let fade${r} = exp_of(most${r} - top${r}); most${r} = top${r};`,
      ...L.map((l) => `let p${r}_${l} = ${orElse(p, l, tile, `exp_of(${z[l]} - top${r})`, "0f")};`),
      `total${r} = total${r} * fade${r} + (${L.map((l) => `p${r}_${l}`).join(" + ")});`,
      ...L.map((l) =>
        `let w1_${r}_${l} = p${r}_${l}${dropout > 0 ? ` * drop_of(head, t${r}, u${l})` : ""};`
      ),
    ].join("\n    ");
  };
  return {
    streams: [{ name: "k", by: "q" }, { name: "v", add: true }],
    touched: { reads: ["q", "k", "v", "keyTerm", "queryTerm"], temporary: "read", store: true },
    start: (_, r) => `var most${r} = ${LOWEST}; var total${r} = 0f;`,
    weigh,
    fades: true,
    finish: (bound, r, sums) => {
      const log = address(B * H * T * K, [["head", T], [`t${r}`, 1]]), out = sums(1);
      return [
        ...out.map((a) => `${a} = ${a} / total${r};`),
        storeVector(p, bound, 0, `t${r}`, out),
        store(bound, p.kernel.store, log, `log_of(total${r}) + most${r}`, 1),
      ].join(" ");
    },
  };
}

/** The weights added up by the rows of their offsets. */
function sumsPass(p: Parts, tile: number): Pass {
  const { B, H, T, K, R, dropout } = p.kernel.does;
  const log = (r: number): string => address(B * H * T * K, [["head", T], [`t${r}`, 1]]);
  return {
    streams: [{ name: "k", by: "q" }],
    touched: { reads: ["q", "k", "keyTerm", "queryTerm"], temporary: "read", store: true },
    start: (bound, r) => {
      const own = { base: p.kernel.store, offset: 0, strides: [1] };
      const begin = address(B * H * T * (K + 1), [[`(head * ${T}u + t${r})`, R]]);
      const zero = store(bound, p.kernel.store, `line${r} + r`, "0f", 1);
      return `let log${r} = ${load(bound, own, log(r), 1)}; let line${r} = ${begin};
  if (is${r}) { for (var r = 0u; r < ${R}u; r++) { ${zero} } }`;
    },
    weigh: (bound, r, block) =>
      range(block).map((l) => {
        const drop = dropout > 0 ? ` * drop_of(head, t${r}, u${l})` : "";
        const weight = `exp_of(z${r}_${l} - log${r})${drop}`;
        const there = T % tile ? `is${r} && in${l}` : `is${r}`;
        const add = addTo(p, bound, "store", `line${r} + i${r}_${l}`, weight);
        return `if (${there}) { ${queryScore(p, r, l)} ${add} }`;
      }).join("\n    "),
    finish: () => "",
  };
}

/** The dispatches of attention, forward or backward; `temporary` is the slot of memory that they hand each other. */
export function attentionShaders(
  k: HandKernel,
  slotOf: SlotOf,
  target: Target,
  temporary: number,
): Shader[] {
  const p = partsOf(k, slotOf, target, temporary), { op, sums } = k.does;
  if (op === "attentionGrad") return attentionGradShaders(p, target);
  const cut = cutOf(target, k.does, 2, 2), again = cutOf(target, k.does, 1, 1);
  return [
    ...packShaders(p),
    passShader(p, outPass(p, cut.tile), cut, target, "queries"),
    ...sums ? [passShader(p, sumsPass(p, again.tile), again, target, "sums by row")] : [],
  ];
}

/** Elements of the result: all results, or all cotangents, in a row. */
function attentionResult(
  { op, B, H, T, K, R, sums, bias, keyTerm, queryTerm }: AttentionKernel,
): number {
  const terms = (...on: boolean[]): number => B * H * T * R * on.filter(Boolean).length;
  if (op === "attention") return B * H * T * (K + 1) + terms(sums);
  return 3 * B * H * T * K + (bias ? B * H * R : 0) + terms(keyTerm, queryTerm);
}

/** Longest vectors: an invocation holds them in registers, four of them in the backward pass. */
const longest = 128;

/** Why a device computes attention's composite, or undefined if it runs the kernel. */
export function attentionRefusal(does: AttentionKernel, target: Target): string | undefined {
  const { B, H, T, K } = does;
  if (K > longest) return `vectors of ${K} are longer than ${longest}`;
  const bytes = 4 * B * H * T * T;
  if (bytes < target.scoreBytes) {
    return `scores of ${showBytes(bytes)} are less than ${showBytes(target.scoreBytes)}`;
  }
  const { bindingBytes } = target;
  const largest = 4 * Math.max(attentionResult(does), attentionTemporary(does));
  if (largest > bindingBytes) {
    return `a buffer of ${showBytes(largest)} would be larger than ${showBytes(bindingBytes)}`;
  }
  return target.bindings < 8 ? `a shader may touch ${target.bindings} buffers, not 8` : undefined;
}
