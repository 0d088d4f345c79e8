/**
 * The bench's tasks in jax-js.
 *
 * @module
 */
import { fill } from "../fill.ts";
import type { JaxArray, JaxJs } from "./jaxjs_api.ts";

/** A task's function and its inputs, which stay the caller's. */
export interface JaxOp {
  readonly call: (...inputs: JaxArray[]) => JaxArray[];
  readonly inputs: readonly JaxArray[];
}

/** By the task's name. */
export const jaxOps: Readonly<
  Record<string, (jax: JaxJs, sizes: Readonly<Record<string, number>>) => JaxOp>
> = {
  matmul({ numpy: np }, { batch = 1, m = 0, k = 0, n = 0, ta = 0, tb = 0 }) {
    const lead = batch > 1 ? [batch] : [];
    const turn = (x: JaxArray, flag: number): JaxArray =>
      flag ? x.transpose(batch > 1 ? [0, 2, 1] : [1, 0]) : x;
    return {
      call: (a, b) => [np.matmul(turn(a!, ta), turn(b!, tb))],
      inputs: [
        np.array(fill(1, batch * m * k), { shape: [...lead, ...ta ? [k, m] : [m, k]] }),
        np.array(fill(2, batch * k * n), { shape: [...lead, ...tb ? [n, k] : [k, n]] }),
      ],
    };
  },
  chain({ numpy: np, nn }, { rows = 0, width = 0 }) {
    return {
      call: (x, a, b) => [nn.gelu(x!.ref.mul(a!).add(b!), { approximate: false }).add(x!)],
      inputs: [
        np.array(fill(1, rows * width, 4), { shape: [rows, width] }),
        np.array(fill(2, width)),
        np.array(fill(3, width)),
      ],
    };
  },
  increment: ({ numpy: np }, { count = 0 }) => ({
    call: (x) => [x!.add(1)],
    inputs: [np.array(fill(1, count))],
  }),
  total({ numpy: np }, { rows = 0, width = 0, axis = 0 }) {
    return {
      call: (x) => [x!.sum(axis < 0 ? null : axis)],
      inputs: [np.array(fill(1, rows * width), { shape: [rows, width] })],
    };
  },
  softmax({ numpy: np, nn }, { rows = 0, width = 0 }) {
    return {
      call: (x) => [nn.softmax(x!, -1)],
      inputs: [np.array(fill(1, rows * width, 4), { shape: [rows, width] })],
    };
  },
  layerNorm({ numpy: np, nn }, { rows = 0, width = 0 }) {
    return {
      call: (x, gain, bias) => [nn.standardize(x!, -1, { epsilon: 1e-5 }).mul(gain!).add(bias!)],
      inputs: [
        np.array(fill(1, rows * width, 2), { shape: [rows, width] }),
        np.array(fill(2, width)),
        np.array(fill(3, width)),
      ],
    };
  },
};
