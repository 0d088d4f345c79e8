/** LAMB and AdamW, with and without bias correction, against loops over plain numbers. */
import { assertAlmostEquals, assertGreater } from "@std/assert";
import { type AnyTensor, fromArray, read, type Tensor } from "../../core/mod.ts";
import { adamw, type GradientNorm, lamb, noDecay } from "../../optim/mod.ts";

/** What the loops are told. */
interface Plain {
  readonly gradNorm: GradientNorm;
  readonly biasCorrection: boolean;
  /** LAMB's ratio; AdamW without. */
  readonly trust: boolean;
  readonly decay: number;
}

const RATE = 0.02, BETA1 = 0.9, BETA2 = 0.999, EPSILON = 1e-6, STEPS = 8;
const length = (x: readonly number[]): number => Math.hypot(...x);

/** Parameters after some steps, written down from the papers' formulas; a `b` is neither decayed nor scaled. */
function byLoop(
  start: Readonly<Record<string, readonly number[]>>,
  gradients: readonly Readonly<Record<string, readonly number[]>>[],
  { gradNorm, biasCorrection, trust, decay }: Plain,
): Record<string, number[]> {
  const params = Object.fromEntries(Object.entries(start).map(([k, v]) => [k, [...v]]));
  const m: Record<string, number[]> = {}, v: Record<string, number[]> = {};
  gradients.forEach((all, i) => {
    const t = i + 1, norm = length(Object.values(all).flat());
    const by = gradNorm === "off" ? 1 : gradNorm === "always" ? norm : Math.max(1, norm);
    for (const [name, w] of Object.entries(params)) {
      const first = m[name] ??= w.map(() => 0), second = v[name] ??= w.map(() => 0);
      const own = name === "b" ? 0 : decay;
      const u = w.map((x, j) => {
        const g = all[name]![j]! / by;
        first[j] = BETA1 * first[j]! + (1 - BETA1) * g;
        second[j] = BETA2 * second[j]! + (1 - BETA2) * g * g;
        const mean = biasCorrection ? first[j]! / (1 - BETA1 ** t) : first[j]!;
        const square = biasCorrection ? second[j]! / (1 - BETA2 ** t) : second[j]!;
        return mean / (Math.sqrt(square) + EPSILON) + own * x;
      });
      const ratio = trust && own > 0 ? length(w) / length(u) : 1;
      w.forEach((x, j) => w[j] = x - RATE * ratio * u[j]!);
    }
  });
  return params;
}

/** Numbers of a fixed sequence, in [-1, 1). */
function numbers(seed: number, count: number): number[] {
  let s = seed;
  return Array.from({ length: count }, () => {
    s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
    return s / 2 ** 31 - 1;
  });
}

const start = { w: numbers(1, 6), b: numbers(2, 3) };
/** The later, the larger, so that clipping sets in on the way. */
const gradients = Array.from({ length: STEPS }, (_, t) => ({
  w: numbers(10 + t, 6).map((x) => x * (0.2 + 0.3 * t)),
  b: numbers(50 + t, 3).map((x) => x * (0.2 + 0.3 * t)),
}));
const tensorsOf = ({ w, b }: Readonly<Record<"w" | "b", readonly number[]>>) => ({
  w: fromArray([...w], [2, 3]) as AnyTensor,
  b: fromArray([...b], [3]) as AnyTensor,
});

async function byUs({ trust, ...options }: Plain): Promise<Record<string, readonly number[]>> {
  const common = { rate: RATE, epsilon: EPSILON, groups: [noDecay], ...options };
  const optimizer = trust ? lamb(common) : adamw(common);
  let params = tensorsOf(start), state = optimizer.init(params);
  for (const gradient of gradients) {
    ({ params, state } = optimizer.step(params, tensorsOf(gradient), state));
  }
  return { w: [...await read(params.w as Tensor)], b: [...await read(params.b as Tensor)] };
}

for (const trust of [true, false]) {
  for (const gradNorm of ["off", "clip", "always"] as const) {
    for (const biasCorrection of [true, false]) {
      const name = trust ? "lamb" : "adamw", corrected = biasCorrection ? "with" : "without";
      Deno.test(`${name}() takes the loop's steps ${corrected} bias correction, gradients ${gradNorm}`, async () => {
        const options = { gradNorm, biasCorrection, trust, decay: 0.1 };
        const got = await byUs(options), want = byLoop(start, gradients, options);
        for (const [k, values] of Object.entries(want)) {
          values.forEach((x, i) => assertAlmostEquals(got[k]![i]!, x, 3e-6, `${k}[${i}]`));
        }
      });
    }
  }
}

Deno.test("without bias correction what no ratio scales moves further at first, by (1 - β₁) / √(1 - β₂)", () => {
  const [first] = gradients, plain = { gradNorm: "off", trust: true, decay: 0.1 } as const;
  const moved = (biasCorrection: boolean) => {
    const { w, b } = byLoop(start, [first!], { ...plain, biasCorrection });
    return [length(w!.map((x, i) => x - start.w[i]!)), length(b!.map((x, i) => x - start.b[i]!))];
  };
  const [w, b] = moved(true), [rawW, rawB] = moved(false);
  assertAlmostEquals(rawB! / b!, (1 - BETA1) / Math.sqrt(1 - BETA2), 1e-3);
  assertAlmostEquals(
    rawW! / w!,
    1,
    1e-9,
    "the ratio makes the length, rate times that of the weights",
  );
  assertGreater(b!, 0);
});
