/**
 * All that the laws compare, computed on one device.
 *
 * @module
 */
import { fromArray } from "../../../core/create.ts";
import type { HostArray } from "../../../core/dtype.ts";
import type { Device } from "../../../core/device/device.ts";
import { reshape, sliceAxis } from "../../../core/graph/build.ts";
import { read, toDevice } from "../../../core/read.ts";
import { type AnyTensor, nodeOf, wrap } from "../../../core/tensor.ts";
import { nodesOf, vjp, withNodes } from "../../../core/transform/grad.ts";
import { jit } from "../../../core/transform/jit.ts";
import { jvp } from "../../../core/transform/jvp.ts";
import { vmap } from "../../../core/transform/vmap.ts";
import { differentiable, type Numbers, type Sample } from "./sample.ts";

/** What one device gives; every list has an entry a result, `grads` one an input. */
export interface Measured {
  readonly value: readonly Numbers[];
  readonly special: readonly Numbers[];
  readonly grads: readonly Numbers[];
  readonly pushed: readonly Numbers[];
  readonly mapped: readonly Numbers[];
  /** One list an example of the batch. */
  readonly looped: readonly (readonly Numbers[])[];
  readonly eager: readonly Numbers[];
}

export const tensorOf = ({ data, shape, dtype }: Numbers): AnyTensor =>
  fromArray(data, shape as number[], dtype);

/** The numbers of a tree's tensors. */
export async function numbersOf(tree: unknown): Promise<Numbers[]> {
  const arrays: Promise<HostArray>[] = nodesOf(tree).map((n) => read(wrap(n)));
  return (await Promise.all(arrays)).map((data, i) => {
    const { shape, dtype } = nodesOf(tree)[i]!;
    return { shape, dtype, data };
  });
}

/** Example `i` of a batched input. */
function example(x: AnyTensor, axis: number | null, i: number): AnyTensor {
  const n = nodeOf(x);
  if (axis === null) return x;
  return wrap(reshape(sliceAxis(n, axis, i, i + 1), n.shape.toSpliced(axis, 1)));
}

type List = readonly AnyTensor[];
type Call = (...xs: List) => AnyTensor;

/** Everything but the eager value as one function, so that a device compiles one program a case. */
function together({ trial, axes, batch }: Sample, gradients: boolean) {
  const call = trial.call as Call;
  return (xs: List, special: List, tangents: List, weights: List, batched: List) => {
    const value = call(...xs);
    const grads = gradients ? vjp(call, ...xs)[1](withNodes(value, weights.map(nodeOf))) : [];
    return {
      value,
      grads,
      pushed: gradients ? jvp(call, xs, tangents)[1] : [],
      special: special.length ? call(...special) : [],
      mapped: vmap(call, { in: axes })(...batched as never),
      looped: Array.from(
        { length: batch },
        (_, i) => call(...batched.map((x, k) => example(x, axes[k]!, i))),
      ),
    };
  };
}

/** Runs one case on a device. `specials`: whether special values come through there. */
export async function measure(
  sample: Sample,
  device: Device,
  specials: boolean,
): Promise<Measured> {
  const list = (numbers: readonly Numbers[]): List => numbers.map(tensorOf);
  const xs = list(sample.inputs), special = specials ? list(sample.special ?? []) : [];
  const run = jit(together(sample, differentiable(sample)), { device });
  const out = run(xs, special, list(sample.tangents), list(sample.weights), list(sample.batched));
  const eager = sample.trial.call(...await toDevice(xs, device));
  const [value, given, grads, pushed, mapped, once, untouched, ...looped] = await Promise.all(
    [out.value, out.special, out.grads, out.pushed, out.mapped, eager, xs, ...out.looped]
      .map(numbersOf),
  );
  untouched!.forEach(({ data }, i) => {
    const { data: before } = sample.inputs[i]!;
    if (before.some((v, k) => !Object.is(v, data[k]))) {
      throw new TypeError(`Input ${i} of ${sample.law.law} was changed`);
    }
  });
  return {
    value: value!,
    special: given!,
    grads: grads!,
    pushed: pushed!,
    mapped: mapped!,
    looped,
    eager: once!,
  };
}
