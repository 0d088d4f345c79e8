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

/** What is wrong with one case on a device, against the reference and in itself. */
async function faultsOn(device: Device, sample: Sample): Promise<readonly string[]> {
  const specials = device.kind !== "webgpu" || sample.trial.exact === true;
  const expected = await measure(sample, oracle, true);
  const found = await measure(sample, device, specials);
  return [...against(sample, found, expected), ...inner(sample, found)];
}

/** Can differences say something: f32 in, and some results? */
function measurable(sample: Sample): boolean {
  const short = sample.inputs.some((x) => x.dtype === "f16" || x.dtype === "bf16");
  return differentiable(sample) && !short && sample.weights.some((w) => w.data.length > 0);
}

const held = (sample: Sample, faults: readonly string[]): void => {
  if (faults.length) fail(`${describe(sample)}: ${faults.join("; ")}`);
};

/** Runs `check` over cases of a law: always the same ones. */
async function overCases(
  law: Law,
  runs: number,
  seed: number,
  check: (sample: Sample) => Promise<void>,
): Promise<void> {
  const property = fc.asyncProperty(fc.noBias(fc.gen()), (g) => check(sampleOf(law, g)));
  await fc.assert(property, { numRuns: runs, seed, endOnFailure: true });
}

/** Holds a law on a device against the reference. */
export function hold(law: Law, runs: number, device: Device, seed = 20260): Promise<void> {
  return overCases(
    law,
    runs,
    seed,
    async (sample) => held(sample, await faultsOn(device, sample)),
  );
}

/** Holds a law on the reference alone, its gradients against finite differences. */
export async function holdOnReference(law: Law, runs: number, seed = 20260): Promise<void> {
  let measured = 0, kinks = 0;
  await overCases(law, runs, seed, async (sample) => {
    const found = await measure(sample, oracle, true), faults = inner(sample, found);
    const slope = measurable(sample) ? await slopeTest(sample, found) : undefined;
    if (measurable(sample)) measured++;
    if (slope === "kink") kinks++;
    held(sample, slope && slope !== "kink" ? [...faults, slope] : faults);
  });
  assert(measured === 0 || kinks < measured, `${law.law}: no difference meant anything`);
}
