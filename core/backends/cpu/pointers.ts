/**
 * Addresses: 32-bit numbers, or 64-bit ones in a memory64. Code that computes an address does so through `Pointers`, so that the same
 * generators serve both memories; counts, ids and coordinates are i32 in both. In a 32-bit memory nothing is converted.
 *
 * A memory64 reaches 16 GiB in V8 but checks bounds where a 32-bit memory needs no check, so it is chosen for a device, not
 * always. Several 32-bit memories were turned down: an instruction names its memory, so a program would have to be compiled
 * for every way its buffers can lie in them.
 *
 * @module
 */
import { type Code, get, I32, i32, I64, i64, type Integers, set, V128, v128 } from "./encoder.ts";

/** The arithmetic of one kind of memory's addresses. */
export interface Pointers extends Integers {
  readonly wide: boolean;
  /** Value type of an address. */
  readonly type: number;
  /** Bytes of an address in memory. */
  readonly bytes: number;
  /** An unsigned 32-bit count as a number of this type, and its low 32 bits back. */
  from(count: Code): Code;
  low(n: Code): Code;
}

export const narrow: Pointers = {
  ...i32,
  wide: false,
  type: I32,
  bytes: 4,
  from: (count) => count,
  low: (n) => n,
};
export const wide: Pointers = {
  ...i64,
  wide: true,
  type: I64,
  bytes: 8,
  from: (count) => [count, 0xad],
  low: (n) => [n, 0xa7],
};
export const pointersOf = (memory: { readonly wide: boolean }): Pointers =>
  memory.wide ? wide : narrow;

/** Atomic operations on a word at a constant address. */
export interface AtomicOps {
  load(p: number): Code;
  add(p: number, v: number): Code;
  store(p: number, v: Code): Code;
  /** Sleeps while the word is `expected`. */
  wait(p: number, expected: Code): Code;
  notifyAll(p: number): Code;
}

export function atomicsOf(ptr: Pointers): AtomicOps {
  return {
    load: (p) => [ptr.of(p), [0xfe, 0x10, 2, 0]],
    add: (p, v) => [ptr.of(p), i32.of(v), [0xfe, 0x1e, 2, 0]],
    store: (p, v) => [ptr.of(p), v, [0xfe, 0x17, 2, 0]],
    wait: (p, expected) => [
      [ptr.of(p), expected],
      i64.of(-1), // no limit
      [0xfe, 0x01, 2, 0, 0x1a],
    ],
    notifyAll: (p) => [ptr.of(p), i32.of(-1), [0xfe, 0x00, 2, 0, 0x1a]],
  };
}

/** The locals of a function being written. */
export interface Locals {
  readonly params: readonly number[];
  readonly types: readonly number[];
  readonly ptr: Pointers;
  i32(): number;
  /** A local for an address, or for an offset or stride in bytes. */
  pointer(): number;
  v128(): number;
  /** A constant vector, in a local that `prologue` sets: V8 builds a v128.const anew, from scalars, at every use. */
  constant(bits: number): Code;
  prologue(): Code;
}

/** `params` are value types. */
export function makeLocals(ptr: Pointers, params: readonly number[]): Locals {
  const types: number[] = [], constants = new Map<number, number>();
  const add = (type: number): number => params.length + types.push(type) - 1;
  return {
    params,
    types,
    ptr,
    i32: () => add(I32),
    pointer: () => add(ptr.type),
    v128: () => add(V128),
    constant(bits) {
      let local = constants.get(bits);
      if (local === undefined) constants.set(bits, local = add(V128));
      return get(local);
    },
    prologue: () => [...constants].map(([b, l]) => set(l, v128.i32(b, b, b, b))),
  };
}
