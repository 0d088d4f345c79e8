/**
 * Elements of any dtype in and out of vectors: f32, i32 and u32 as they are, bool as one word that becomes a mask, f16 and
 * bf16 as two bytes that become f32.
 *
 * @module
 */
import type { DType } from "../../dtype.ts";
import type { Halves } from "../../plan/plan.ts";
import { type Code, f32x4, get, i32, i32x4, set, v128 } from "./encoder.ts";
import type { Locals } from "./pointers.ts";

/** The types of two bytes. */
export const HALVES: Halves = new Set<DType>(["f16", "bf16"]);

/** Bytes of one element in this backend's memory. */
export function widthOf(dtype: DType): number {
  return HALVES.has(dtype) ? 2 : 4;
}

/** Bits of memory, a word a lane, to what expressions compute with. */
function decoded(raw: Code, dtype: DType, l: Locals): Code {
  if (dtype === "bool") return i32x4.ne(raw, l.constant(0));
  if (dtype === "bf16") return i32x4.shl(raw, i32.of(16));
  if (dtype !== "f16") return raw;
  // The exponent moves by a multiplication, which is right for subnormals too; infinity and NaN need all exponent bits set.
  const bits = l.v128(), size = l.v128();
  const special = v128.and(i32x4.gtS(get(size), l.constant(0x0f7fffff)), l.constant(0x7f800000));
  return [
    set(bits, raw),
    set(size, i32x4.shl(v128.and(get(bits), l.constant(0x7fff)), i32.of(13))),
    v128.or(
      v128.or(f32x4.mul(get(size), l.constant(0x77800000)), special),
      i32x4.shl(v128.and(get(bits), l.constant(0x8000)), i32.of(16)),
    ),
  ];
}

/** The reverse; f16 and bf16 values are rounded already. */
function encoded(value: Code, dtype: DType, l: Locals): Code {
  if (dtype === "bool") return v128.and(value, l.constant(1));
  if (dtype === "bf16") return i32x4.narrowU16(i32x4.shrU(value, i32.of(16)));
  if (dtype !== "f16") return value;
  const bits = l.v128(), size = l.v128();
  const nan = v128.and(i32x4.gtS(get(size), l.constant(0x7f800000)), l.constant(0x200));
  const half = i32x4.shrU(f32x4.mul(get(size), l.constant(0x07800000)), i32.of(13));
  const isSpecial = i32x4.gtS(get(size), l.constant(0x7f7fffff));
  const sign = i32x4.shrU(v128.and(get(bits), l.constant(-0x80000000)), i32.of(16));
  return [
    set(bits, value),
    set(size, v128.and(get(bits), l.constant(0x7fffffff))),
    i32x4.narrowU16(
      v128.or(v128.bitselect(v128.or(nan, l.constant(0x7c00)), half, isSpecial), sign),
    ),
  ];
}

/** One element in every lane. */
export function loadSplat(dtype: DType, p: Code, l: Locals): Code {
  if (widthOf(dtype) === 4) return decoded(v128.splat32(p), dtype, l);
  return decoded(v128.and(v128.splat16(p), l.constant(0xffff)), dtype, l);
}

/** Where a vector stands: `x` is four times the column, a number like an address; `at` columns more; neighbours are `stride` elements apart. */
export interface Place {
  readonly pointer: Code;
  readonly x: Code;
  readonly at: number;
  readonly stride: number;
  /** Elements that are there; a vector at a row's end has fewer than four. */
  readonly lanes: number;
}

/** Four elements, or fewer and anything. May read up to six bytes past the last one. */
export function loadLanes(dtype: DType, { pointer, x, at, stride, lanes }: Place, l: Locals): Code {
  const width = widthOf(dtype), { ptr } = l;
  const scaled = width === 4 ? x : ptr.shrU(x, ptr.of(1));
  if (stride === 1) {
    const p = ptr.add(pointer, scaled), offset = at * width;
    if (width === 2) return decoded(i32x4.widenU16(v128.load2(p, offset)), dtype, l);
    if (lanes === 4) return decoded(v128.load(p, offset), dtype, l);
    if (lanes === 1) return decoded(v128.load1(p, offset), dtype, l);
    if (lanes === 2) return decoded(v128.load2(p, offset), dtype, l);
    return decoded(v128.load32Lane(p, v128.load2(p, offset), 2, offset + 8), dtype, l);
  }
  const p = l.pointer(), step = stride * width;
  const start = ptr.add(ptr.add(pointer, ptr.mul(scaled, ptr.of(stride))), ptr.of(at * step));
  const first = width === 4
    ? v128.splat32(get(p))
    : v128.and(v128.splat16(get(p)), l.constant(0xffff));
  const all = [1, 2, 3].slice(0, lanes - 1).reduce<Code>((v, lane) => {
    // Offsets inside instructions are unsigned: a step back is an addition.
    const [base, offset] = step > 0
      ? [get(p), step * lane]
      : [ptr.add(get(p), ptr.of(step * lane)), 0];
    return width === 4
      ? v128.load32Lane(base, v, lane, offset)
      : v128.load16Lane(base, v, 2 * lane, offset);
  }, first);
  return [set(p, start), decoded(all, dtype, l)];
}

/** The numbers of four elements: what an iota operand reads. `pointer` is the row's first element number. */
export function countLanes({ pointer, x, at, stride }: Place, { ptr }: Locals): Code {
  const column = i32.shrU(ptr.low(x), i32.of(2));
  const first = i32.add(ptr.low(pointer), i32.mul(column, i32.of(stride)));
  return i32x4.add(
    v128.splat(first),
    v128.i32(...[0, 1, 2, 3].map((lane) => (at + lane) * stride)),
  );
}

/** Writes `lanes` elements side by side, and nothing beyond them. */
export function storeLanes(
  dtype: DType,
  { pointer, x, at, lanes }: Place,
  value: Code,
  l: Locals,
): Code {
  const v = l.v128(), width = widthOf(dtype), offset = at * width, { ptr } = l;
  const p = ptr.add(pointer, width === 4 ? x : ptr.shrU(x, ptr.of(1)));
  const bits = encoded(value, dtype, l);
  if (width === 4 && lanes === 4) return v128.store(p, bits, offset);
  if (width === 2 && lanes === 4) return v128.store64Lane(p, bits, 0, offset);
  if (width === 2) {
    const each = Array.from(
      { length: lanes },
      (_, i) => v128.store16Lane(p, get(v), i, offset + 2 * i),
    );
    return [set(v, bits), each];
  }
  return [
    set(v, bits),
    lanes >= 2 ? v128.store64Lane(p, get(v), 0, offset) : [],
    lanes % 2 ? v128.store32Lane(p, get(v), lanes - 1, offset + 4 * (lanes - 1)) : [],
  ];
}
