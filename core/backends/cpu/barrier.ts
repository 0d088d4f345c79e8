/**
 * The barrier between kernels: the last thread to arrive opens it, the others spin for some microseconds and then sleep.
 * Where a thread has failed, nobody waits: what the others compute is not looked at.
 *
 * @module
 */
import {
  bump,
  type Code,
  type Encoded,
  encoded,
  type Fn,
  get,
  I32,
  i32,
  repeat,
  set,
  when,
} from "./encoder.ts";
import { CONTROL } from "./memory.ts";
import { atomicsOf, makeLocals, type Pointers } from "./pointers.ts";

const SPINS = 10_000;
const made = new Map<Pointers, Encoded>();

/** (threads): returns when all of them have called it. */
export function barrierFunction(ptr: Pointers): Encoded {
  let found = made.get(ptr);
  if (!found) made.set(ptr, found = encoded(write(ptr)));
  return found;
}

function write(ptr: Pointers): Fn {
  const { arrived, generation, sleeping, failed } = CONTROL, atomic = atomicsOf(ptr);
  const locals = makeLocals(ptr, [I32]), mine = locals.i32(), spins = locals.i32();
  const drop = (value: Code): Code => [value, 0x1a];
  const open: Code = [
    atomic.store(arrived, i32.of(0)),
    drop(atomic.add(generation, 1)),
    when(atomic.load(sleeping), atomic.notifyAll(generation)),
  ];
  const stays = i32.and(
    i32.eq(atomic.load(generation), get(mine)),
    i32.eq(atomic.load(failed), i32.of(0)),
  );
  const wait = repeat(stays, [
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
  return { params: locals.params, locals: locals.types, body };
}
