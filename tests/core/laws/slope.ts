/**
 * Gradients against central differences on the reference, and against directional derivatives.
 *
 * @module
 */
import { fromHost, isFloat } from "../../../core/dtype.ts";
import { reference } from "../../../core/backends/reference/mod.ts";
import { jit } from "../../../core/transform/jit.ts";
import type { AnyTensor } from "../../../core/tensor.ts";
import { type Measured, numbersOf, tensorOf } from "./measure.ts";
import type { Numbers, Sample } from "./sample.ts";

const STEP = 1 / 16;
const oracle = reference();

interface Slope {
  readonly slope: number;
  /** Σ |weight · result|: what its rounding is a share of. */
  readonly size: number;
}

/** Σ a·b over the floats of two lists, and Σ |a·b|, in double precision. */
export function dot(
  a: readonly Numbers[],
  b: readonly Numbers[],
): { readonly sum: number; readonly size: number } {
  let sum = 0, size = 0;
  a.forEach(({ data, dtype }, i) => {
    if (!isFloat(dtype)) return;
    const p = fromHost(data, dtype), q = fromHost(b[i]!.data, b[i]!.dtype);
    for (let k = 0; k < p.length; k++) {
      sum += p[k]! * q[k]!;
      size += Math.abs(p[k]! * q[k]!);
    }
  });
  return { sum, size };
}

/** <w, J v> = <Jᵀ w, v>: what is wrong, or undefined. */
export function dotTest({ tangents, weights }: Sample, m: Measured): string | undefined {
  const finite = m.value.every(({ data, dtype }) => {
    return Array.from(fromHost(data, dtype)).every(Number.isFinite);
  });
  if (!finite) return undefined;
  const forward = dot(m.pushed, weights), backward = dot(m.grads, tangents);
  const short = m.grads.some((g) => g.dtype === "f16" || g.dtype === "bf16");
  const allowed = (short ? 3e-2 : 1e-4) * (forward.size + backward.size) + 1e-6;
  if (Math.abs(forward.sum - backward.sum) <= allowed) return undefined;
  return `jvp gives ${forward.sum}, vjp ${backward.sum}`;
}

/**
 * The derivative of the weighted sum of results along `directions`, which move each input by a share of itself (so
 * that none changes its sign), in f32 inputs and double sums. Undefined where two steps disagree (a kink is near) or
 * results are infinite.
 */
export async function centralDifference(
  { trial, inputs, weights }: Sample,
  directions: readonly Numbers[],
): Promise<Slope | undefined> {
  const call = jit(trial.call as (...xs: readonly AnyTensor[]) => unknown, { device: oracle });
  const at = async (h: number): Promise<{ readonly sum: number; readonly size: number }> => {
    const moved = inputs.map((x, i) => {
      if (x.dtype !== "f32") return x;
      const along = directions[i]!.data;
      return { ...x, data: Float32Array.from(x.data, (v, k) => v + h * along[k]!) };
    });
    return dot(await numbersOf(call(...moved.map(tensorOf))), weights);
  };
  const difference = async (h: number): Promise<Slope> => {
    const up = await at(h), down = await at(-h);
    return { slope: (up.sum - down.sum) / (2 * h), size: up.size };
  };
  const steps: Slope[] = [];
  for (const h of [STEP, STEP / 2, STEP / 4]) steps.push(await difference(h));
  const [d1, d2, d4] = steps as [Slope, Slope, Slope];
  // Richardson: what is left is of the order of the fourth power of the step, unless a kink lies between.
  const first = (4 * d2.slope - d1.slope) / 3, slope = (4 * d4.slope - d2.slope) / 3;
  const allowed = 5e-4 * Math.abs(slope) + 1e-5 * d4.size;
  return Math.abs(first - slope) <= allowed ? { slope, size: d4.size } : undefined;
}

/** Gradients of the reference against differences; "kink" where they mean nothing. */
export async function slopeTest(
  sample: Sample,
  m: Measured,
): Promise<string | "kink" | undefined> {
  const along = sample.inputs.map((x, i): Numbers => {
    const { data } = sample.tangents[i]!;
    return { ...x, data: data.map((v, k) => v * Math.abs(x.data[k]!)) };
  });
  const found = await centralDifference(sample, along);
  if (!found) return "kink";
  const given = dot(m.grads, along);
  const allowed = 1e-3 * (Math.abs(found.slope) + given.size) + 2e-5 * found.size + 1e-6;
  if (Math.abs(given.sum - found.slope) <= allowed) return undefined;
  return `vjp gives ${given.sum}, differences ${found.slope}`;
}
