/**
 * The barrier between kernels: the last thread to arrive opens it, the others spin for some microseconds and then sleep.
 *
 * @module
 */
import {
  atomic,
  bump,
  type Code,
  type Encoded,
  encodeFunction,
  get,
  i32,
  makeLocals,
  repeat,
  set,
  when,
} from "./encoder.ts";
import { CONTROL } from "./memory.ts";

const SPINS = 20_000;
let encoded: Encoded | undefined;

/** (threads): returns when all of them have called it. */
export function barrierFunction(): Encoded {
  return encoded ??= { params: 1, result: false, bytes: encodeFunction(write()) };
}

function write(): { params: number; locals: readonly number[]; body: Code } {
  const { arrived, generation, sleeping } = CONTROL;
  const locals = makeLocals(1), mine = locals.i32(), spins = locals.i32();
  const drop = (value: Code): Code => [value, 0x1a];
  const open: Code = [
    atomic.store(arrived, i32.of(0)),
    drop(atomic.add(generation, 1)),
    when(atomic.load(sleeping), atomic.notifyAll(generation)),
  ];
  const wait = repeat(i32.eq(atomic.load(generation), get(mine)), [
    bump(spins, i32.of(1)),
    when(i32.ltU(i32.of(SPINS), get(spins)), [
      drop(atomic.add(sleeping, 1)),
      atomic.wait(generation, get(mine)),
      drop(atomic.add(sleeping, -1)),
    ]),
  ]);
  const isLast = i32.eq(atomic.add(arrived, 1), i32.sub(get(0), i32.of(1)));
  const body = [
    set(mine, atomic.load(generation)),
    set(spins, i32.of(0)),
    when(isLast, open, wait),
  ];
  return { params: 1, locals: locals.types, body };
}
