/**
 * Products: by the system's BLAS where there is one, the factors lie as it wants them, and there is enough to do; else by gemm.ts.
 *
 * What follows a product (a bias, GELU, a residual) is a kernel of its own and not done to its tiles while they are in the cache: a
 * GELU or its gradient computes more than it reads, so that little of its time is the memory's, and residuals are part of the LayerNorm
 * behind them.
 *
 * @module
 */
import type { DType } from "../../dtype.ts";
import { stridesOf } from "../../graph/node.ts";
import type { MatmulKernel, Operand } from "../../plan/kernels.ts";
import { call, type Code, type Fn, get, i32 } from "./encoder.ts";
import { BLAS, gemmOf, MR, NR, PACK_BYTES } from "./gemm.ts";
import type { Pointers } from "./pointers.ts";
import {
  describe,
  END,
  FIRST,
  pointerOf,
  POINTERS,
  type Stage,
  stageLocals,
  stridesIn,
} from "./stage.ts";
import { walk } from "./walk.ts";

/** Multiply-adds below which a call of BLAS costs more than it saves. */
const BLAS_WORK = 16_000;
/** Threads share what BLAS does in multiples of these rows or columns. */
const BLAS_QUANTUM = 16;

/** A factor: where it is, and the bytes from row to row and from column to column. */
export interface Factor {
  readonly at: Code;
  readonly row: number;
  readonly column: number;
  readonly dtype: DType;
}

/** c [m, n] = a [m, k] b [k, n], added to what is there if so said. Sizes that are known only in the code are at most `most`. */
export interface Product {
  readonly a: Factor;
  readonly b: Factor;
  readonly c: Code;
  /** Bytes from row to row of c; its columns lie side by side. */
  readonly ldc: number;
  readonly m: Code;
  readonly n: Code;
  readonly k: Code;
  readonly accumulate: boolean;
  readonly panels: Code;
}

/** How BLAS sees a factor of `rows` by `columns`: 1 where it is stored transposed, and words from line to line. */
function layoutOf(
  f: Omit<Factor, "at">,
  rows: number,
  columns: number,
): readonly [transposed: 0 | 1, ld: number] | null {
  if (f.dtype !== "f32") return null;
  const line = (step: number, length: number, count: number): number | null =>
    count === 1 ? length : step % 4 === 0 && step >= 4 * length ? step / 4 : null;
  if (f.column === 4 || columns === 1) {
    const ld = line(f.row, columns, rows);
    if (ld !== null) return [0, ld];
  }
  if (f.row === 4 || rows === 1) {
    const ld = line(f.column, rows, columns);
    if (ld !== null) return [1, ld];
  }
  return null;
}

/** Sizes of a product, or the most that they can be. */
export interface ProductSizes {
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/** Would BLAS do it? */
export function suitsBlas(
  a: Omit<Factor, "at">,
  b: Omit<Factor, "at">,
  { m, n, k }: ProductSizes,
): boolean {
  return m * n * k >= BLAS_WORK && layoutOf(a, m, k) !== null && layoutOf(b, k, n) !== null;
}

/** The code of a product by BLAS, which it must suit; it is added to what is there unless `accumulate` is 0. */
export function callBlas(
  p: Omit<Product, "accumulate" | "panels"> & { readonly accumulate: Code },
  most: ProductSizes,
): Code {
  const { a, b, c, m, n, k, ldc, accumulate } = p;
  const [turnedA, lda] = layoutOf(a, most.m, most.k)!,
    [turnedB, ldb] = layoutOf(b, most.k, most.n)!;
  const turned = i32.of(turnedA | (turnedB << 1)), none = i32.eq(accumulate, i32.of(0));
  const flags = i32.add(turned, i32.shl(i32.eq(none, i32.of(0)), i32.of(2)));
  return call(BLAS, a.at, b.at, c, m, n, k, ...[lda, ldb, ldc / 4].map(i32.of), flags);
}

/** The code of a product. `most` are its sizes as far as they are known beforehand. */
export function multiply(p: Product, most: ProductSizes, blas: boolean, ptr: Pointers): Code {
  const { a, b, c, m, n, k, accumulate } = p;
  if (blas && suitsBlas(a, b, most)) {
    return callBlas({ ...p, accumulate: i32.of(accumulate ? 1 : 0) }, most);
  }
  const steps = [a.row, a.column, b.row, b.column, p.ldc].map(ptr.of);
  return call(
    gemmOf(a.dtype, b.dtype),
    ...[a.at, b.at, c, m, n, k, ...steps, i32.of(accumulate ? 1 : 0), p.panels],
  );
}

type Axis = "batch" | "rows" | "columns";
/** Threads share the longer side, as each packs all of the other; or whole products, where there are enough of them. */
function axisOf(k: MatmulKernel, threads: number): Axis {
  const count = k.batch.reduce((a, b) => a * b, 1);
  if (count >= 2 * threads || (count > 1 && count % threads === 0)) return "batch";
  return k.m >= k.n ? "rows" : "columns";
}

function factorOf(o: Operand): Omit<Factor, "at"> {
  const [row, column] = stridesIn(o).slice(-2) as [number, number];
  return { row, column, dtype: o.base.dtype };
}

export function matmulStage(k: MatmulKernel, threads: number, blas: boolean): Stage {
  const count = k.batch.reduce((a, b) => a * b, 1), axis = axisOf(k, threads);
  const byBlas = blas && suitsBlas(factorOf(k.a), factorOf(k.b), k);
  const quantum = byBlas
    ? { rows: BLAS_QUANTUM, columns: BLAS_QUANTUM }
    : { rows: MR, columns: NR };
  const speed = byBlas ? 60 : 20;
  return {
    key: `${byBlas ? "blas" : "matmul"} ${axis} ${k.batch.join()}x${k.m},${k.n},${k.k} ${
      describe(k.a)
    } ${describe(k.b)}`,
    write: (ptr) => matmulFunction(k, axis, byBlas, ptr),
    pointers: [pointerOf(k.a), pointerOf(k.b), { base: k.store, offset: 0 }],
    units: { batch: count, rows: k.m, columns: k.n }[axis],
    quantum: { batch: 1, ...quantum }[axis],
    cost: 50 + count * (k.m * k.n * k.k / speed + 0.5 * (k.m + k.n) * k.k + 0.2 * k.m * k.n),
    threadBytes: PACK_BYTES,
  };
}

/** (first, end, a, b, c, panels) */
function matmulFunction(k: MatmulKernel, axis: Axis, blas: boolean, ptr: Pointers): Fn {
  const [A, B, C, PANELS] = [POINTERS, POINTERS + 1, POINTERS + 2, POINTERS + 3] as const;
  const locals = stageLocals(ptr, 4), a = factorOf(k.a), b = factorOf(k.b), ldc = 4 * k.n;
  const count = k.batch.reduce((x, y) => x * y, 1), part = i32.sub(get(END), get(FIRST));
  const from = (p: number, step: number, shared: boolean): Code =>
    shared ? ptr.add(get(p), ptr.mul(ptr.from(get(FIRST)), ptr.of(step))) : get(p);
  const product = multiply(
    {
      a: { ...a, at: from(A, a.row, axis === "rows") },
      b: { ...b, at: from(B, b.column, axis === "columns") },
      c: from(C, axis === "rows" ? ldc : 4, axis !== "batch"),
      ldc,
      m: axis === "rows" ? part : i32.of(k.m),
      n: axis === "columns" ? part : i32.of(k.n),
      k: i32.of(k.k),
      accumulate: false,
      panels: get(PANELS),
    },
    k,
    blas,
    ptr,
  );
  const cursors = [
    { local: A, strides: stridesIn(k.a).slice(0, -2) },
    { local: B, strides: stridesIn(k.b).slice(0, -2) },
    { local: C, strides: stridesOf(k.batch).map((s) => 4 * s * k.m * k.n) },
  ];
  const [first, end] = axis === "batch" ? [get(FIRST), get(END)] : [i32.of(0), i32.of(count)];
  const body = walk(locals, k.batch, first!, end!, cursors, product);
  return { params: locals.params, locals: locals.types, body };
}
