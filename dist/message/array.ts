/**
 * Arrays that are sent, as bytes and as types on the wire. They may lie in shared memory.
 *
 * @module
 */
import type { WireType } from "./header.ts";

/** An array that can be sent. */
export type WireArray =
  | Uint8Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array;

const types: Readonly<Record<string, WireType>> = {
  Uint8Array: "u8",
  Uint16Array: "u16",
  Int32Array: "i32",
  Uint32Array: "u32",
  Float32Array: "f32",
  Float64Array: "f64",
};

/** What the array's elements are. @throws TypeError if they cannot be sent */
export function typeOf(array: WireArray): WireType {
  const name = Object.prototype.toString.call(array).slice(8, -1), type = types[name];
  if (type) return type;
  throw new TypeError(`Cannot send a ${name}: it must be one of ${Object.keys(types).join(", ")}`);
}

/** The array's bytes, in place. */
export function bytesOf(array: WireArray): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** Some of the elements, in place. */
export function part<T extends WireArray>(array: T, from: number, to: number): T {
  return array.subarray(from, to) as T;
}

/** An array of the same type with room for so many elements. */
export function roomLike<T extends WireArray>(array: T, length: number): T {
  return new (array.constructor as new (length: number) => T)(length);
}
