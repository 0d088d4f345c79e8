/**
 * Element types. There is no silent promotion: an op on two dtypes is an error, `cast` is explicit.
 *
 * @module
 */
import type { ScalarType } from "./expr/expr.ts";

/** Floating-point types. f16 and bf16 are storage: they are computed on as f32 and rounded when stored. */
export type Float = "f32" | "f16" | "bf16";
/** Integer types. */
export type Int = "i32" | "u32";
/** Types that have arithmetic. */
export type Numeric = Float | Int;
/** Every element type. */
export type DType = Numeric | "bool";

/** What values look like on the host: f16 and bf16 as their bits, bool as 0 and 1. */
export interface HostArrays {
  /** Numbers. */
  readonly f32: Float32Array;
  /** Bits. */
  readonly f16: Uint16Array;
  /** Bits. */
  readonly bf16: Uint16Array;
  /** Numbers. */
  readonly i32: Int32Array;
  /** Numbers. */
  readonly u32: Uint32Array;
  /** 0 and 1. */
  readonly bool: Uint8Array;
}
/** The host array of one dtype, or of any. */
export type HostArray<D extends DType = DType> = HostArrays[D];

const constructors: { readonly [D in DType]: new (length: number) => HostArrays[D] } = {
  f32: Float32Array,
  f16: Uint16Array,
  bf16: Uint16Array,
  i32: Int32Array,
  u32: Uint32Array,
  bool: Uint8Array,
};

/** A host array of `size` zeros. */
export function hostArray<D extends DType>(dtype: D, size: number): HostArrays[D] {
  return new constructors[dtype](size);
}

/** Bytes of one element on the host and in files. */
export function bytesOf(dtype: DType): number {
  return dtype === "bool" ? 1 : dtype === "f16" || dtype === "bf16" ? 2 : 4;
}

/** The scalar type that expressions compute a dtype with. */
export function scalarOf(dtype: DType): ScalarType {
  return dtype === "f16" || dtype === "bf16" ? "f32" : dtype;
}

/** Is it f32, f16 or bf16? */
export function isFloat(dtype: DType): dtype is Float {
  return dtype === "f32" || dtype === "f16" || dtype === "bf16";
}

const word = new Float32Array(1), bits = new Uint32Array(word.buffer);

/** The bf16 bits of a number, rounded to nearest even; NaN stays NaN. */
export function toBf16(value: number): number {
  word[0] = value;
  const u = bits[0]!;
  if ((u & 0x7fffffff) > 0x7f800000) return (u >>> 16) | 0x40;
  return (u + 0x7fff + ((u >>> 16) & 1)) >>> 16;
}

/** The number that bf16 bits stand for. */
export function fromBf16(half: number): number {
  bits[0] = half << 16;
  return word[0]!;
}

/** The f16 bits of a number, rounded to nearest even; beyond 65504 infinity. */
export function toF16(value: number): number {
  word[0] = value;
  const u = bits[0]!, sign = (u >>> 16) & 0x8000, magnitude = u & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude < 0x38800000) {
    // Subnormal: adding 0.5 moves the last bit kept to the last bit of the word, and rounds on the way.
    word[0] = Math.abs(value) + 0.5;
    return sign | (bits[0]! - 0x3f000000);
  }
  return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
}

/** The number that f16 bits stand for. */
export function fromF16(half: number): number {
  const sign = half & 0x8000 ? -1 : 1, exponent = (half >>> 10) & 31, fraction = half & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -24 * fraction);
}

/** Numbers to a host array of `dtype`: rounds floats, wraps integers as typed arrays do, bool is "not zero". */
export function toHost<D extends DType>(values: ArrayLike<number>, dtype: D): HostArrays[D] {
  const out = hostArray<DType>(dtype, values.length);
  const convert = dtype === "bf16"
    ? toBf16
    : dtype === "f16"
    ? toF16
    : dtype === "bool"
    ? (v: number) => v ? 1 : 0
    : (v: number) => v;
  for (let i = 0; i < values.length; i++) out[i] = convert(values[i]!);
  return out as HostArrays[D];
}

/** A host array as numbers: what f16 and bf16 bits stand for. */
export function fromHost(data: HostArray, dtype: DType): ArrayLike<number> {
  if (dtype !== "f16" && dtype !== "bf16") return data;
  return Float32Array.from(data, dtype === "bf16" ? fromBf16 : fromF16);
}
