/**
 * Loops over the columns of a row, or of a part of one: several vectors at a time, then one, then the last one to three elements.
 *
 * @module
 */
import { type Code, get, i32, loop, set, when } from "./encoder.ts";
import type { Locals } from "./pointers.ts";

/** Columns that are handled together: a vector at x + each of `ats`, of so many lanes. */
export interface Block {
  readonly ats: readonly number[];
  readonly lanes: number;
}

/** A loop in which `body` handles each block, `abreast` vectors wide where as many are left. */
export type ColumnLoop = (abreast: number, body: (block: Block) => Code) => Code;

/** A row of `inner` columns, or parts of `size` columns of one, of which `start` is the first. `x` follows four times the column. */
export function columnLoop(
  inner: number,
  part: { readonly size: number; readonly start: number } | undefined,
  x: number,
  locals: Locals,
): ColumnLoop {
  const last = inner % 4, { ptr } = locals, bytes = (n: number): Code => ptr.of(4 * n);
  return (abreast, body) => {
    const block = (many: number): Code =>
      body({ ats: Array.from({ length: many }, (_, i) => 4 * i), lanes: 4 });
    const blocks = (from: Code, to: Code, many: number): Code =>
      loop(x, from, to, 16 * many, block(many), ptr);
    const rest = (): Code => body({ ats: [0], lanes: last });
    if (!part) {
      const whole = inner - last, main = abreast > 1 ? whole - whole % (4 * abreast) : 0;
      return [
        main === 4 * abreast
          ? [set(x, bytes(0)), block(abreast)]
          : main
          ? blocks(bytes(0), bytes(main), abreast)
          : [],
        whole - main > 4
          ? blocks(bytes(main), bytes(whole), 1)
          : whole - main === 4
          ? [set(x, bytes(main)), block(1)]
          : [],
        last ? [set(x, bytes(whole)), rest()] : [],
      ];
    }
    const width = locals.i32(), { size, start } = part;
    const down = (to: number): Code =>
      ptr.from(i32.shl(i32.and(get(width), i32.of(-to)), i32.of(2)));
    const single = [
      loop(x, down(4 * abreast), down(4), 16, block(1), ptr),
      last ? when(i32.and(get(width), i32.of(3)), [set(x, down(4)), rest()]) : [],
    ];
    return [
      set(width, i32.minU(i32.sub(i32.of(inner), ptr.low(get(start))), i32.of(size))),
      abreast > 1 ? blocks(bytes(0), down(4 * abreast), abreast) : [],
      abreast > 1 ? single : [loop(x, bytes(0), down(4), 16, block(1), ptr), single[1]!],
    ];
  };
}
