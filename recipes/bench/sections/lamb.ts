/**
 * One step of LAMB over the parameters of a whole model, all other things being there.
 *
 * @module
 */
import { type AnyTensor, dispose, fromArray, jit, read, toDevice } from "../../../core/mod.ts";
import { describe, parameterCount } from "../../../nn/mod.ts";
import { lamb, type OptimizerState } from "../../../optim/mod.ts";
import { type BenchCase, expecting, once, type Runner } from "../bench_case.ts";
import { fill } from "../fill.ts";
import { elementOf } from "../ours.ts";
import { stepSpec } from "../step.ts";
import { lambSettings, type StepSizes, vectors } from "../step_sizes.ts";
import { medium } from "./training.ts";

/** One parameter: as a matrix, or with 0 rows as a vector, which is not decayed. */
interface Shape {
  readonly rows: number;
  readonly columns: number;
}

const count = ({ rows, columns }: Shape): number => Math.max(1, rows) * columns;

function lambCase(model: StepSizes): BenchCase {
  const spec = stepSpec(model), all = parameterCount(spec);
  const shapes = describe(spec).map(({ path, shape }): Shape => {
    const size = shape.reduce((a, b) => a * b, 1), columns = shape.at(-1)!;
    return vectors.test(path) ? { rows: 0, columns: size } : { rows: size / columns, columns };
  });
  const sizes = Object.fromEntries(shapes.flatMap((shape, i) => [
    [`${i}.rows`, shape.rows],
    [`${i}.columns`, shape.columns],
    [`${i}.decay`, Number(shape.rows > 0)],
  ]));
  const starts = (): Float32Array[] => shapes.map((s, i) => fill(3 * i, count(s), 0.1));
  const gradients = (): Float32Array[] => shapes.map((s, i) => fill(3 * i + 1, count(s), 0.01));
  const right = once(() => firstStep(starts(), gradients(), shapes));
  return {
    name: "LAMB step",
    size: `${model.layers}x${model.width} V${model.vocabulary}`,
    op: "lamb",
    sizes: { count: shapes.length, ...sizes },
    unit: "GB/s",
    // Parameters, gradients and two moments are read; all but the gradients are written.
    work: { bytes: 7 * 4 * all },
    async ours(device): Promise<Runner> {
      const decay = (i: number): RegExp => new RegExp(`^${i}$`);
      const optimizer = lamb({
        ...lambSettings,
        groups: shapes.flatMap((s, i) => s.rows > 0 ? [] : [{ match: decay(i), decay: 0 }]),
      });
      const tensors = (values: readonly Float32Array[]): Promise<AnyTensor[]> =>
        toDevice(
          values.map((x, i): AnyTensor => {
            const { rows, columns } = shapes[i]!;
            return rows > 0 ? fromArray(x, [rows, columns]) : fromArray(x, [columns]);
          }),
          device,
        );
      const step = jit((params: AnyTensor[], grads: AnyTensor[], state: OptimizerState) => {
        const next = optimizer.step(params, grads, state);
        return [next.params, next.state] as const;
      }, { device, donate: [0, 2] });
      const grads = await tensors(gradients());
      let params: AnyTensor[] = [], state: OptimizerState | undefined;
      const restart = async (): Promise<void> => {
        dispose([params, state]);
        params = await tensors(starts());
        state = optimizer.init(params);
      };
      const advance = (): void => void ([params, state] = step(params, grads, state!));
      await restart();
      return {
        async time(times) {
          const start = performance.now();
          for (let i = 0; i < times; i++) advance();
          await device.synchronize();
          return (performance.now() - start) / 1000;
        },
        async values(at) {
          await restart();
          advance();
          const parts = await Promise.all(params.map((p) => read(p)));
          return at.map((place) => elementOf(parts, place));
        },
        close: () => dispose([params, grads, state]),
      };
    },
    check: expecting({ results: all, values: (at) => at.map((i) => right()[i]!), tolerance: 1e-6 }),
    peers: { cpu: ["PyTorch"], "cpu+blas": [], webgpu: [] },
  };
}

/** The parameters after one step from moments of 0, in f64. Source: You et al. 2020, algorithm 2, with a clipped gradient. */
function firstStep(
  params: readonly Float32Array[],
  grads: readonly Float32Array[],
  shapes: readonly Shape[],
): Float64Array {
  const square = (x: ArrayLike<number>): number => {
    let sum = 0;
    for (let i = 0; i < x.length; i++) sum += x[i]! ** 2;
    return sum;
  };
  const { rate, epsilon, decay, maxNorm } = lambSettings;
  const by = Math.max(1, Math.sqrt(grads.reduce((sum, g) => sum + square(g), 0)) / maxNorm);
  const out = new Float64Array(shapes.reduce((sum, s) => sum + count(s), 0));
  let at = 0;
  params.forEach((p, i) => {
    const decays = shapes[i]!.rows > 0;
    // After one step the debiased moments are g and g².
    const u = Float64Array.from(grads[i]!, (g, j) => {
      const direction = g / by / (Math.abs(g / by) + epsilon);
      return direction + (decays ? decay * p[j]! : 0);
    });
    const trust = decays ? Math.sqrt(square(p) / square(u)) : 1;
    p.forEach((x, j) => out[at + j] = x - rate * trust * u[j]!);
    at += p.length;
  });
  return out;
}

/** The section. */
export const lambCases: readonly BenchCase[] = [lambCase(medium)];
