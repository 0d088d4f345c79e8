/**
 * A queued copy of a buffer: what a read takes while programs are queued, as a later one may overwrite the buffer in place.
 *
 * @module
 */
import { barrierFunction } from "./barrier.ts";
import {
  call,
  type Code,
  encoded,
  encodeModule,
  get,
  I32,
  loop,
  type MemoryLimits,
  v128,
  when,
} from "./encoder.ts";
import { makeLocals, pointersOf } from "./pointers.ts";

/** run(thread, threads, table): copies from address table[1] to address table[0] table[2] bytes, rounded up to 16. */
export function snapshotModule(limits: MemoryLimits): WebAssembly.Module {
  const ptr = pointersOf(limits), locals = makeLocals(ptr, [I32, I32, ptr.type]);
  const THREAD = 0, THREADS = 1, TABLE = 2, at = locals.pointer();
  const word = (i: number): Code => ptr.load(get(TABLE), ptr.bytes * i);
  const side = (i: number): Code => ptr.add(word(i), get(at));
  const copy = loop(at, ptr.of(0), word(2), 16, v128.store(side(0), v128.load(side(1))), ptr);
  // The other threads wait, or they would go on to the program that overwrites it.
  const body = [when(get(THREAD), [], copy), call(0, get(THREADS))];
  const fns = [
    barrierFunction(ptr),
    encoded({ params: locals.params, locals: locals.types, body }),
  ];
  return new WebAssembly.Module(encodeModule(fns, limits));
}
