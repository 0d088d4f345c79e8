/**
 * Loops over the columns of a row, or of a part of one: several vectors at a time, then one, then the last one to three elements.
 *
 * @module
 */
import { type Expr, topological } from "../../expr/expr.ts";
import { type Code, get, i32, loop, set, when } from "./encoder.ts";
import type { Locals } from "./pointers.ts";

/** Columns that are handled together: a vector at x + each of `ats`, of so many lanes. */
export interface Block {
  readonly ats: readonly number[];
  readonly lanes: number;
}

/** A loop in which `body` handles each block, `abreast` vectors wide where as many are left. */
export type ColumnLoop = (abreast: number, body: (block: Block) => Code) => Code;

/** How many vectors go abreast: a cache line of f32; fewer where code would grow large or rows are short. */
export function abreastOf(roots: readonly Expr[], inner: number): number {
  const operators = topological(roots).length;
  const most = operators < 120 ? 4 : operators < 300 ? 2 : 1;
  return inner >= 8 * most ? most : 1;
}

/** Over all `inner` columns of a row, or of a part of it of `width` columns, of which only the last may be short. `x` follows four times the column. */
export function columnLoop(
  inner: number,
  width: Code | undefined,
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
    if (width === undefined) {
      const whole = inner - last, main = abreast > 1 ? whole - whole % (4 * abreast) : 0;
      return [
        main ? blocks(bytes(0), bytes(main), abreast) : [],
        whole - main > 4
          ? blocks(bytes(main), bytes(whole), 1)
          : whole - main === 4
          ? [set(x, bytes(main)), block(1)]
          : [],
        last ? [set(x, bytes(whole)), rest()] : [],
      ];
    }
    const count = locals.i32();
    const down = (to: number): Code =>
      ptr.from(i32.shl(i32.and(get(count), i32.of(-to)), i32.of(2)));
    return [
      set(count, width),
      abreast > 1 ? blocks(bytes(0), down(4 * abreast), abreast) : [],
      blocks(abreast > 1 ? down(4 * abreast) : bytes(0), down(4), 1),
      last ? when(i32.and(get(count), i32.of(3)), [set(x, down(4)), rest()]) : [],
    ];
  };
}
