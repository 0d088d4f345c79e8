/**
 * A queued copy of a buffer: what a read takes while programs are queued, as a later one may overwrite the buffer in place.
 *
 * @module
 */
import { barrierFunction } from "./barrier.ts";
import {
  call,
  type Code,
  encodeFunction,
  encodeModule,
  get,
  I32,
  i32,
  loop,
  type MemoryLimits,
  v128,
  when,
} from "./encoder.ts";

/** run(thread, threads, table): copies from address table[1] to address table[0] table[2] bytes, rounded up to 16. */
export function snapshotModule(limits: MemoryLimits): WebAssembly.Module {
  const THREAD = 0, THREADS = 1, TABLE = 2, at = 3;
  const word = (i: number): Code => i32.load(get(TABLE), 4 * i);
  const side = (i: number): Code => i32.add(word(i), get(at));
  const copy = loop(at, i32.of(0), word(2), 16, v128.store(side(0), v128.load(side(1))));
  // The other threads wait, or they would go on to the program that overwrites it.
  const body = [when(get(THREAD), [], copy), call(0, get(THREADS))];
  const bytes = encodeFunction({ params: 3, locals: [I32], body });
  const fns = [barrierFunction(), { params: 3, result: false, bytes }];
  return new WebAssembly.Module(encodeModule(fns, limits));
}
