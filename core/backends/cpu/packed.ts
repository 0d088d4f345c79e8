/**
 * Products of factors that several products share. Where gemm.ts would pack a factor anew for every product, its panels are kept here
 * for as long as they are needed; where BLAS multiplies, factors stay where they are.
 *
 * @module
 */
import {
  bump,
  call,
  type Code,
  type Encoded,
  encoded,
  type Fn,
  get,
  I32,
  i32,
  loop,
  set,
  when,
} from "./encoder.ts";
import { EDGE, GEMM_HELPERS, IMPORTS, MICRO, MR, NR, packA, packB, TILE_BYTES } from "./gemm.ts";
import { callBlas, type Factor, type ProductSizes } from "./matmul.ts";
import { makeLocals, type Pointers } from "./pointers.ts";

/** A factor, and where its panels stand if it is packed. */
export interface Packable {
  readonly factor: Factor;
  readonly panels: Code;
}

/** Bytes of panels of so many lanes (rows of a left factor, columns of a right one) of k elements. */
export const leftBytes = (rows: number, k: number): number => 4 * Math.ceil(rows / MR) * MR * k;
export const rightBytes = (columns: number, k: number): number =>
  4 * Math.ceil(columns / NR) * NR * k;
/** Bytes that a product needs for the tiles at edges. */
export { TILE_BYTES };

const PACK_LEFT = IMPORTS + GEMM_HELPERS, PACK_RIGHT = PACK_LEFT + 1, TILES = PACK_LEFT + 2;

/** Packs a left factor of so many rows and columns `k`; nothing to do for BLAS. */
export function packLeft(a: Packable, rows: Code, k: Code, blas: boolean, ptr: Pointers): Code {
  const { at, row, column } = a.factor;
  return blas ? [] : call(PACK_LEFT, at, a.panels, rows, k, ptr.of(row), ptr.of(column));
}
/** Packs a right factor of `k` rows and so many columns; nothing to do for BLAS. */
export function packRight(b: Packable, columns: Code, k: Code, blas: boolean, ptr: Pointers): Code {
  const { at, row, column } = b.factor;
  return blas ? [] : call(PACK_RIGHT, at, b.panels, columns, k, ptr.of(column), ptr.of(row));
}

/** c [m, n] = a [m, k] b [k, n] of packed factors, or added to c. */
export interface PackedProduct {
  readonly a: Packable;
  readonly b: Packable;
  readonly c: Code;
  /** Bytes from row to row of c; its columns lie side by side. */
  readonly ldc: number;
  readonly m: Code;
  readonly n: Code;
  readonly k: Code;
  /** 0: c is written; else it is added to. */
  readonly accumulate: Code;
  /** Address of `TILE_BYTES`. */
  readonly tile: Code;
}

/** The code of a product. `most` are its sizes as far as they are known beforehand. */
export function multiplyPacked(
  p: PackedProduct,
  most: ProductSizes,
  blas: boolean,
  ptr: Pointers,
): Code {
  const { a, b, c, ldc, m, n, k, accumulate, tile } = p;
  if (blas) return callBlas({ ...p, a: a.factor, b: b.factor }, most);
  return call(TILES, a.panels, b.panels, c, m, n, k, ptr.of(ldc), accumulate, tile);
}

/** (source, panels, lanes, kc, laneStep, kStep): all panels of a factor, one behind the other. */
function packAllFunction(width: number, pack: number, ptr: Pointers): Fn {
  const [source, panels, lanes, kc, laneStep, kStep] = [0, 1, 2, 3, 4, 5] as const;
  const locals = makeLocals(ptr, [ptr.type, ptr.type, I32, I32, ptr.type, ptr.type]);
  const i = locals.i32();
  const body = loop(i, i32.of(0), get(lanes), width, [
    call(
      pack,
      get(source),
      get(panels),
      i32.minU(i32.sub(get(lanes), get(i)), i32.of(width)),
      get(kc),
      get(laneStep),
      get(kStep),
    ),
    bump(source, ptr.mul(get(laneStep), ptr.of(width)), ptr),
    bump(panels, ptr.from(i32.mul(get(kc), i32.of(4 * width))), ptr),
  ]);
  return { params: locals.params, locals: locals.types, body };
}

/** (a, b, c, m, n, kc, ldc, accumulate, tile): a product of panels; those of b stay in the first cache while all of a pass by. */
function tilesFunction(ptr: Pointers): Fn {
  const [a, b, c, m, n, kc, ldc, accumulate, tile] = [0, 1, 2, 3, 4, 5, 6, 7, 8] as const;
  const address = ptr.type;
  const locals = makeLocals(ptr, [
    address,
    address,
    address,
    I32,
    I32,
    I32,
    address,
    I32,
    address,
  ]);
  const [i, j, mr, nr] = [locals.i32(), locals.i32(), locals.i32(), locals.i32()] as const;
  const panelA = locals.pointer(), to = locals.pointer();
  const panelBytes = (width: number): Code => ptr.from(i32.mul(get(kc), i32.of(4 * width)));
  const micro = (to: Code, ldc: Code, accumulate: Code): Code =>
    call(MICRO, get(panelA), get(b), to, get(kc), ptr.of(4 * NR), ldc, accumulate);
  const isFull = i32.and(i32.eq(get(mr), i32.of(MR)), i32.eq(get(nr), i32.of(NR)));
  const body = loop(j, i32.of(0), get(n), NR, [
    set(nr, i32.minU(i32.sub(get(n), get(j)), i32.of(NR))),
    set(panelA, get(a)),
    set(to, ptr.add(get(c), ptr.from(i32.shl(get(j), i32.of(2))))),
    loop(i, i32.of(0), get(m), MR, [
      set(mr, i32.minU(i32.sub(get(m), get(i)), i32.of(MR))),
      when(isFull, micro(get(to), get(ldc), get(accumulate)), [
        micro(get(tile), ptr.of(4 * NR), i32.of(0)),
        call(EDGE, get(tile), get(to), get(mr), get(nr), get(ldc), get(accumulate)),
      ]),
      bump(panelA, panelBytes(MR), ptr),
      bump(to, ptr.mul(get(ldc), ptr.of(MR)), ptr),
    ]),
    bump(b, panelBytes(NR), ptr),
  ]);
  return { params: locals.params, locals: locals.types, body };
}

const helpers = new Map<Pointers, readonly Encoded[]>();
/** The functions that these products call; in a module they come right after those of gemm.ts. */
export function packedHelpers(ptr: Pointers): readonly Encoded[] {
  let made = helpers.get(ptr);
  if (!made) {
    made = [
      packAllFunction(MR, packA("f32"), ptr),
      packAllFunction(NR, packB("f32"), ptr),
      tilesFunction(ptr),
    ].map(encoded);
    helpers.set(ptr, made);
  }
  return made;
}
