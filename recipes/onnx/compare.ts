/**
 * What rounding a model's weights costs: outputs with them beside those without, on random tokens and on text.
 *
 * @module
 */
import {
  type AnyTensor,
  type Device,
  dispose,
  fromArray,
  jit,
  read,
  sizesOf,
  type Tensor,
} from "../../core/mod.ts";
import { draws, USES } from "../masking/counter_random.ts";
import type { Exportable } from "./heads.ts";

/** Rows of tokens that are compared at once. */
export type Rows = readonly (readonly number[])[];

/** How far outputs are from one another. */
export interface Difference {
  /** The largest difference of two numbers. */
  readonly largest: number;
  /** The largest number. */
  readonly of: number;
  /** The smallest cosine of two vectors along the last axis; 1 where there are none. */
  readonly cosine: number;
  /** The share of vectors whose greatest number is at the same place. */
  readonly agree: number;
}

/** The score of what cannot be chosen, such as padding. */
const NONE = -1e9;
const LENGTHS = [2, 7, 16, 61, 128] as const;
const ROWS = 4;

/** Batches of random tokens below V, `most` at most. */
export function randomRows(V: number, most: number): readonly Rows[] {
  return LENGTHS.filter((T) => T <= most).map((T) =>
    Array.from({ length: ROWS }, (_, row) => {
      const { below } = draws(1, USES.units, T, row);
      return Array.from({ length: T }, () => below(V));
    })
  );
}

const rows2d = (rows: Rows, T: number, of: (row: readonly number[], t: number) => number) =>
  rows.flatMap((row) => Array.from({ length: T }, (_, t) => of(row, t)));

/** A batch as inputs: ids, what is kept, and segments, of which there is one. A unit of several rows has its own and the next ones. */
function inputsOf({ inputs }: Exportable, own: Rows, pad: number): readonly AnyTensor[] {
  const [, N = 1] = inputs[0]!.axes.length === 3 ? inputs[0]!.axes : [];
  const rows = own.flatMap((_, u) =>
    Array.from({ length: N as number }, (_, n) => own[(u + n) % own.length]!)
  );
  const T = Math.max(...own.map((row) => row.length));
  const shape = N === 1 ? [own.length, T] : [own.length, N as number, T];
  const ids = Int32Array.from(rows2d(rows, T, (row, t) => row[t] ?? pad));
  const keep = Float32Array.from(rows2d(rows, T, (row, t) => t < row.length ? 1 : 0));
  const all: readonly AnyTensor[] = [
    fromArray(ids, shape, "i32"),
    fromArray(keep, shape),
    fromArray(new Int32Array(ids.length), shape, "i32"),
  ];
  return all.slice(0, inputs.length);
}

function differenceOf(a: Float32Array, b: Float32Array, width: number): Difference {
  let largest = 0, most = 0, cosine = 1, agreed = 0;
  for (let from = 0; from < a.length; from += width) {
    let dot = 0, aa = 0, bb = 0, bestA = from, bestB = from;
    for (let i = from; i < from + width; i++) {
      const x = a[i]!, y = b[i]!;
      if (x <= NONE) continue;
      largest = Math.max(largest, Math.abs(x - y));
      most = Math.max(most, Math.abs(x));
      [dot, aa, bb] = [dot + x * y, aa + x * x, bb + y * y];
      if (x > a[bestA]!) bestA = i;
      if (y > b[bestB]!) bestB = i;
    }
    cosine = Math.min(cosine, dot / Math.sqrt(aa * bb));
    agreed += Number(bestA === bestB);
  }
  return { largest, of: most, cosine, agree: agreed * width / a.length };
}

/** Compares the first output of two functions; places of padding are left out. */
export async function compared(
  exact: Exportable,
  rounded: Exportable,
  batches: readonly Rows[],
  pad: number,
  device: Device,
): Promise<Difference> {
  const run = ({ f }: Exportable) =>
    jit((...inputs: AnyTensor[]) => Object.values(f(...inputs))[0]!, { device });
  const programs = [exact, rounded].map(run), found: (Difference & { readonly n: number })[] = [];
  for (const rows of batches) {
    const inputs = inputsOf(exact, rows, pad);
    const outputs = programs.map((program) => program(...inputs)), shape = sizesOf(outputs[0]!);
    const [a, b] = await Promise.all(outputs.map((x) => read(x as Tensor)));
    dispose([inputs, outputs]);
    const own = a!.length / rows.length, T = shape[1]!, width = shape.at(-1)!;
    rows.forEach((row, r) => {
      const end = exact.ofTokens ? own / T * row.length : own;
      const part = (x: Float32Array): Float32Array => x.subarray(r * own, r * own + end);
      const n = shape.length === 1 ? 1 : width;
      found.push({ ...differenceOf(part(a!), part(b!), n), n: end / n });
    });
  }
  const total = found.reduce((sum, { n }) => sum + n, 0);
  return {
    largest: Math.max(...found.map((one) => one.largest)),
    of: Math.max(...found.map((one) => one.of)),
    cosine: Math.min(...found.map((one) => one.cosine)),
    agree: found.reduce((sum, { agree, n }) => sum + agree * n, 0) / total,
  };
}
