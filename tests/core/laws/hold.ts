/**
 * Holding one law on one device.
 *
 * @module
 */
import fc from "npm:fast-check@4.10.2";
import { assert, fail } from "@std/assert";
import { reference } from "../../../core/backends/reference/mod.ts";
import type { Device } from "../../../core/device/device.ts";
import { type DType, fromHost, toHost } from "../../../core/dtype.ts";
import { sizeOf } from "../../../core/graph/node.ts";
import type { Law } from "../../../core/ops/law.ts";
import { difference } from "./compare.ts";
import { measure, type Measured } from "./measure.ts";
import {
  describe,
  differentiable,
  type Numbers,
  resultsOf,
  type Sample,
  sampleOf,
} from "./sample.ts";
import { dotTest, slopeTest } from "./slope.ts";

const oracle = reference();

interface Verdict {
  readonly faults: readonly string[];
  /** Whether gradients met finite differences. */
  readonly sloped: boolean;
}

const joined = (dtype: DType, parts: readonly Numbers[]): Numbers => {
  const all = parts.flatMap(({ data }) => [...Array.from(fromHost(data, dtype))]);
  return { shape: [all.length], dtype, data: toHost(all, dtype) };
};

/** What the numbers of one device contradict in themselves. */
function inner(sample: Sample, m: Measured): string[] {
  const faults: (string | undefined)[] = [];
  resultsOf(sample.trial).forEach(({ shape, dtype }, i) => {
    const { value, eager } = { value: m.value[i]!, eager: m.eager[i]! };
    const sizes = [value.shape, eager.shape, m.mapped[i]!.shape.slice(1)];
    if (sizes.some((s) => `${s}` !== `${shape}`) || value.data.length !== sizeOf(shape)) {
      faults.push(`shapes: traced [${shape}], run [${value.shape}], eager [${eager.shape}]`);
    }
    const same = (name: string, a: Numbers, b: Numbers): void => {
      const found = difference(a.data, b.data, dtype, sample.trial.tolerance);
      if (found) faults.push(`${name}: ${found}`);
    };
    same("jit against eager", value, eager);
    same("vmap against a loop", m.mapped[i]!, joined(dtype, m.looped.map((l) => l[i]!)));
  });
  if (differentiable(sample)) faults.push(dotTest(sample, m));
  return faults.filter((f) => f !== undefined);
}

/** What a device says otherwise than the reference. */
function against(sample: Sample, found: Measured, expected: Measured): string[] {
  const { tolerance } = sample.trial;
  const parts = ["value", "special", "grads", "pushed", "mapped", "eager"] as const;
  return parts.flatMap((part) =>
    found[part].flatMap(({ data, dtype }, i) => {
      const zeros = part === "special" || part === "value";
      const fault = difference(data, expected[part][i]!.data, dtype, tolerance, zeros);
      return fault ? [`${part} ${i}: ${fault}`] : [];
    })
  );
}

async function verdict(sample: Sample, device: Device | undefined): Promise<Verdict> {
  const expected = await measure(sample, oracle, true);
  if (device) {
    const specials = device.kind !== "webgpu" || sample.trial.exact === true;
    const found = await measure(sample, device, specials);
    return { faults: [...against(sample, found, expected), ...inner(sample, found)], sloped: true };
  }
  const faults = inner(sample, expected), short = sample.inputs.some((x) => /16/.test(x.dtype));
  if (!differentiable(sample) || short) return { faults, sloped: true };
  const slope = await slopeTest(sample, expected);
  const sloped = slope !== "kink" && sample.weights.some((w) => w.data.length > 0);
  return { faults: slope && slope !== "kink" ? [...faults, slope] : faults, sloped };
}

/**
 * Holds a law over `runs` cases: on a device against the reference, or, without one, the reference itself against
 * finite differences.
 */
export async function hold(
  law: Law,
  runs: number,
  device: Device | undefined,
  seed = 20260,
): Promise<void> {
  let sloped = 0;
  const property = fc.asyncProperty(fc.noBias(fc.gen()), async (g) => {
    const sample = sampleOf(law, g), result = await verdict(sample, device);
    if (result.sloped) sloped++;
    if (result.faults.length) fail(`${describe(sample)}: ${result.faults.join("; ")}`);
  });
  await fc.assert(property, { numRuns: runs, seed, endOnFailure: true });
  assert(sloped > 0, `No case of ${law.law} could be compared with differences`);
}
