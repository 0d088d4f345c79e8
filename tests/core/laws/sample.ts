/**
 * One drawn case of a law: inputs with and without special values, directions, weights and a batch.
 *
 * @module
 */
import type fc from "npm:fast-check@4.10.2";
import { type DType, type HostArray, isFloat } from "../../../core/dtype.ts";
import { tracing } from "../../../core/execute.ts";
import { makeNode, sizeOf } from "../../../core/graph/node.ts";
import type { Law, Trial } from "../../../core/ops/law.ts";
import { wrap } from "../../../core/tensor.ts";
import { nodesOf } from "../../../core/transform/grad.ts";
import { directions, drawWith, stream, valuesOf } from "./numbers.ts";

/** Numbers on the host with their shape. */
export interface Numbers {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly data: HostArray;
}

export interface Sample {
  readonly law: Law;
  readonly trial: Trial;
  readonly inputs: readonly Numbers[];
  /** Inputs with special values among them; none where the law allows none. */
  readonly special: readonly Numbers[] | undefined;
  readonly tangents: readonly Numbers[];
  /** Cotangents of the results. */
  readonly weights: readonly Numbers[];
  /** The inputs of a batch of `batch` examples, and where its axis stands in each; null: the same for all. */
  readonly batch: number;
  readonly batched: readonly Numbers[];
  readonly axes: readonly (number | null)[];
}

/** Shapes and dtypes of the results, from a trace alone. */
export function resultsOf(trial: Trial): readonly Omit<Numbers, "data">[] {
  const inputs = trial.inputs.map(({ shape, dtype }) =>
    wrap(makeNode({ kind: "input", shape, dtype, inputs: [] }))
  );
  return nodesOf(tracing(() => trial.call(...inputs))).map(({ shape, dtype }) => ({
    shape,
    dtype,
  }));
}

/** Draws one case. */
export function sampleOf(law: Law, g: fc.GeneratorValue): Sample {
  const draw = drawWith(g), trial = law.draw(draw), next = stream(draw.int(0, 2 ** 31 - 1));
  const fill = (special: boolean): Numbers[] =>
    trial.inputs.map((d) => ({ ...d, data: valuesOf(d, d.shape, next, special) }));
  const direct = ({ shape, dtype }: Omit<Numbers, "data">): Numbers => {
    return { shape, dtype, data: directions(dtype, sizeOf(shape), next) };
  };
  const axes: (number | null)[] = trial.inputs.map((d) =>
    draw.int(0, 4) === 0 ? null : draw.int(0, d.shape.length)
  );
  if (!axes.some((a) => a !== null)) axes[0] = 0;
  const batch = draw.int(1, 3);
  const batched = trial.inputs.map((d, i) => {
    const axis = axes[i]!, shape = axis === null ? d.shape : d.shape.toSpliced(axis, 0, batch);
    return { shape, dtype: d.dtype, data: valuesOf(d, shape, next, false) };
  });
  return {
    law,
    trial,
    inputs: fill(false),
    special: trial.inputs.some((d) => d.special !== false) ? fill(true) : undefined,
    tangents: trial.inputs.map(direct),
    weights: resultsOf(trial).map(direct),
    batch,
    batched,
    axes,
  };
}

/** May gradients be compared: is it smooth, with floats on both sides? */
export function differentiable({ trial, inputs, weights }: Sample): boolean {
  const float = (n: Numbers): boolean => isFloat(n.dtype);
  return trial.smooth && inputs.some(float) && weights.some(float);
}

/** The case in words, for messages. */
export function describe({ law, inputs, axes, batch }: Sample): string {
  const shapes = inputs.map((n) => `${n.dtype} [${n.shape.join(", ")}]`);
  return `${law.law} of ${shapes.join(", ")} (batch ${batch} at ${axes.join(", ")})`;
}
