/**
 * What the two passes of attention share: where the operands are, and the code for rows of scores.
 *
 * The row of an offset comes from a table. Position 0 may have rows of its own: query 0 has a table for itself, and as queries go from
 * the last to the first, the place of key 0 is pointed elsewhere when a query comes to it, as no later query looks there.
 *
 * @module
 */
import * as X from "../../expr/expr.ts";
import type { Expr } from "../../expr/expr.ts";
import { type AttentionOperand, attentionOperands, HIDDEN } from "../../graph/fused_kernel.ts";
import type { HandKernel } from "../../plan/kernels.ts";
import { threefry, unit, USES } from "../../random/threefry.ts";
import type { Layout } from "./attention_layout.ts";
import { bump, type Code, f32, f32x4, get, i32, i32x4, loop, set, v128, when } from "./encoder.ts";
import { NR } from "./gemm.ts";
import type { Locals } from "./pointers.ts";
import { constantBits, emit, prepared } from "./simd_expr.ts";
import { POINTERS, stridesIn } from "./stage.ts";

/** An operand: the local that points to it, and byte strides. */
export interface Place {
  readonly pointer: number;
  readonly strides: readonly number[];
}

/** The operands of a kernel by name. */
export function placesOf(k: HandKernel): ReadonlyMap<AttentionOperand, Place> {
  return new Map(
    attentionOperands(k.does).map((name, i) => [
      name,
      { pointer: POINTERS + i, strides: stridesIn(k.operands[i]!) },
    ]),
  );
}

/** exp, log and dropout's factor as the expressions that other kernels use. */
const [x, k0, k1, place] = [
  X.operand(0, "f32"),
  X.operand(1, "u32"),
  X.operand(2, "u32"),
  X.operand(3, "u32"),
] as const;
/** An expression of x as vector code. */
export function apply(f: (x: Expr) => Expr, value: Code, locals: Locals): Code {
  const v = locals.v128(),
    { code, values } = emit(prepared([f(x)]), new Map([[x, get(v)]]), locals);
  return [set(v, value), code, values[0]!];
}
/** 1 / (1 - rate) where the weight at a place is kept, else 0. */
export function dropFactor(
  rate: number,
  keys: readonly [Code, Code],
  at: Code,
  locals: Locals,
): Code {
  const [word] = threefry(k0, k1, place, X.constant(USES.bits, "u32"));
  const factor = X.select(X.gt(1 - rate, unit(word)), 1 / (1 - rate), 0), p = locals.v128();
  const given = new Map<Expr, Code>([[k0, keys[0]], [k1, keys[1]], [place, get(p)]]);
  const { code, values } = emit(prepared([factor]), given, locals);
  return [set(p, at), code, values[0]!];
}

/** Vectors that follow each other, for which there may be as many sums: one would have to wait for its own last addition. */
export const STRANDS = 4;
/** Code for one vector of a row: byte offset local, how many lanes are there, number of the strand. */
type VectorCode<Before extends readonly unknown[] = readonly []> = (
  ...args: readonly [...Before, x: number, lanes: number, strand: number]
) => Code;

/** Code for one head of one example: pointers to its parts, and what is done to its rows. */
export interface Head {
  /** Points to the parts of example `b` and head `h`, and fills the tables. */
  readonly start: Code;
  /** Sets a local to how many keys may matter: what comes after the last that is kept has weight 0. */
  readonly seen: (target: number) => Code;
  /**
   * A score, or a maximum of them, without what all keys of the example have in common: where none is kept, so large a number that a
   * logarithm would be lost in it. Call after `seen`.
   */
  readonly plain: (score: Code) => Code;
  /** Address of row t of an operand, in the current head. */
  readonly row: (name: AttentionOperand, t: Code) => Code;
  /**
   * Turns products into scores in row i and does something with each vector of them; `scores` points to where key 0 would be. The
   * last lanes, beyond T, are -infinity.
   */
  readonly score: (
    scores: number,
    i: number,
    visit: VectorCode<readonly [score: Code]>,
  ) => Code;
  /** For every vector of a row, of the keys chosen. */
  readonly vectors: (body: VectorCode) => Code;
  /** For every j, of the keys chosen: `row` is the byte offset of the row's number in a line of R, x the byte offset of j. */
  readonly eachKey: (i: number, body: (x: number, row: Code) => Code) => Code;
  /** Points the key of position 0 elsewhere as query i comes to it; call before `score`. */
  readonly turn: (i: number) => Code;
  /** The dropout factors of row i at x. */
  readonly factor: (i: number, x: number) => Code;
  /** Where the offsets of row i begin in a table over offsets. */
  readonly offsets: (table: number, i: number) => Code;
}

export interface HeadOptions {
  readonly kernel: HandKernel;
  readonly layout: Layout;
  readonly locals: Locals;
  /** Locals: example, head, and the thread's space. */
  readonly b: number;
  readonly h: number;
  readonly space: number;
  /** Runs before a place of the tables is pointed elsewhere; the local holds its byte offset. */
  readonly before?: (at: number) => Code;
  /** Locals: the keys chosen, from a multiple of 4 on; all if not given. Those with key 0 must come last. */
  readonly keys?: { readonly first: number; readonly end: number };
}

export function headOf(options: HeadOptions): Head {
  const { kernel, layout, locals, b, h, space, before, keys: chosen } = options, { does } = kernel;
  const { T, R, scale } = does, ptr = locals.ptr, places = placesOf(kernel);
  const heads = new Map([...places.keys()].map((name) => [name, locals.pointer()]));
  const line = (count: Code, step: number): Code => ptr.mul(ptr.from(count), ptr.of(step));
  const plus = (...parts: Code[]): Code => parts.reduce((a, c) => ptr.add(a, c));
  const inSpace = (at: number): Code => plus(get(space), ptr.of(at));
  const at = layout.at, used = R > 0;
  const at0 = locals.pointer(), key0 = locals.v128(), key1 = locals.v128();

  const headPointer = (name: AttentionOperand, { pointer, strides }: Place): Code => {
    const perHead = strides.length > 2 && name !== "forward";
    const parts = [get(pointer)];
    if (name !== "rows" && name !== "forward") parts.push(line(get(b), strides[0]!));
    if (perHead) parts.push(line(get(h), strides[1]!));
    return set(heads.get(name)!, plus(...parts));
  };
  const tableOf = (index: Code): Code => ptr.add(inSpace(at.rowTable), index);
  const biasAt = (row: Code): Code => ptr.add(get(heads.get("bias")!), ptr.from(row));
  /** Points one place of the tables to a row. */
  const point = (to: number, row: Code): Code => {
    const r = locals.i32();
    return [
      set(r, row),
      i32.store(tableOf(get(to)), get(r)),
      does.bias ? f32.store(ptr.add(inSpace(at.bias), get(to)), f32.load(biasAt(get(r)))) : [],
    ];
  };
  const fillTables = (): Code => {
    const rows = places.get("rows")!, from = locals.pointer(), number = locals.i32();
    return [
      set(from, get(rows.pointer)),
      loop(at0, ptr.of(0), ptr.of(4 * (2 * T - 1)), 4, [
        // No row may be outside: what it points to is read and written.
        set(number, i32.minU(i32.load(get(from)), i32.of(R - 1))),
        point(at0, i32.shl(get(number), i32.of(2))),
        bump(from, ptr.of(rows.strides[0]!), ptr),
      ], ptr),
      loop(at0, ptr.of(4 * (2 * T - 1)), ptr.of(layout.table), 4, [
        i32.store(tableOf(get(at0)), i32.of(0)),
        i32.store(ptr.add(inSpace(at.bias), get(at0)), i32.of(0)),
      ], ptr),
      does.ownCls
        ? loop(
          at0,
          ptr.of(layout.table0),
          ptr.of(layout.table0 + 4 * T),
          4,
          point(at0, i32.of(4 * (R - 2))),
          ptr,
        )
        : [],
    ];
  };
  const keys = places.get("keys");
  const start: Code = [
    [...places].map(([name, p]) => headPointer(name, p)),
    used ? fillTables() : [],
    keys
      ? [
        set(key0, v128.splat32(get(heads.get("keys")!))),
        set(key1, v128.splat32(plus(get(heads.get("keys")!), ptr.of(keys.strides[1]!)))),
      ]
      : [],
  ];

  const common = locals.v128();
  const plain = (score: Code): Code => does.keep ? f32x4.sub(score, get(common)) : score;
  const seen = (target: number): Code => {
    const keep = heads.get("keep"), all = set(target, i32.of(T));
    if (keep === undefined) return all;
    const t = locals.i32(), kept = i32.load(ptr.add(get(keep), line(get(t), 4)));
    // As many as fill panels; where none is kept, all are alike.
    const whole = i32.and(i32.add(get(target), i32.of(NR - 1)), i32.of(-NR));
    return [
      set(target, i32.of(0)),
      loop(t, i32.of(0), i32.of(T), 1, when(kept, set(target, i32.add(get(t), i32.of(1))))),
      when(
        get(target),
        [set(target, i32.minU(whole, i32.of(T))), set(common, locals.constant(0))],
        [all, set(common, locals.constant(constantBits(-HIDDEN, "f32")))],
      ),
    ];
  };
  const offsets = (table: number, i: number): Code => {
    const of = line(i32.sub(i32.of(T - 1), get(i)), 4);
    if (!does.ownCls) return ptr.add(inSpace(table), of);
    const place = locals.pointer();
    return [
      set(place, of),
      when(get(i), [], set(place, ptr.of(layout.table0))),
      ptr.add(inSpace(table), get(place)),
    ];
  };
  const turn = (i: number): Code => {
    if (!used || !does.ownCls) return [];
    const there = when(get(i), [
      set(at0, line(i32.sub(i32.of(T - 1), get(i)), 4)),
      before?.(at0) ?? [],
      point(at0, i32.of(4 * (R - 1))),
    ]);
    return chosen ? when(get(chosen.first), [], there) : there;
  };

  const first = chosen ? get(chosen.first) : i32.of(0), end = chosen ? get(chosen.end) : i32.of(T);
  const vectors: Head["vectors"] = (body) => {
    const at = locals.pointer(), stop = locals.pointer(), tail = T % 4;
    const whole = i32.and(i32.sub(end, first), i32.of(-4 * STRANDS));
    const strands = Array.from({ length: STRANDS }, (_, s): Code => [
      body(at, 4, s),
      s < STRANDS - 1 ? bump(at, ptr.of(16), ptr) : [],
    ]);
    return [
      set(at, line(first, 4)),
      set(stop, line(i32.add(first, whole), 4)),
      T < 4 * STRANDS ? [] : loop(at, get(at), get(stop), 16, strands, ptr),
      set(stop, line(i32.and(end, i32.of(-4)), 4)),
      T < 4 ? [] : loop(at, get(at), get(stop), 16, body(at, 4, 0), ptr),
      tail ? when(i32.eq(end, i32.of(T)), [set(at, get(stop)), body(at, tail, 0)]) : [],
    ];
  };
  const rowOf = (name: AttentionOperand, t: Code): Code => {
    const { strides } = places.get(name)!;
    return plus(get(heads.get(name)!), line(t, strides.at(-2)!));
  };

  const score: Head["score"] = (scores, i, visit) => {
    const [offsetRow, keyRow, queryRow, biasRow] = [0, 1, 2, 3].map(() => locals.pointer()) as [
      number,
      number,
      number,
      number,
    ];
    const queryStep = places.get("queryTerm")?.strides.at(-2) ?? 0, v = locals.v128();
    const hidden = (x: number, lanes: number): Code => {
      const row = ptr.add(get(heads.get("keep")!), get(x));
      const keep = lanes === 4
        ? v128.load(row)
        : partial(lanes, (l) => ptr.add(row, ptr.of(4 * l)));
      return f32x4.mul(
        f32x4.sub(keep, locals.constant(constantBits(1, "f32"))),
        locals.constant(constantBits(HIDDEN, "f32")),
      );
    };
    /** Lanes from as many places. */
    const partial = (lanes: number, where: (lane: number) => Code): Code =>
      [1, 2, 3].slice(0, lanes - 1).reduce<Code>(
        (value, lane) => v128.load32Lane(where(lane), value, lane),
        v128.load1(where(0)),
      );
    const one: VectorCode = (x, lanes, strand) => {
      const code: Code[] = [set(v, v128.load(ptr.add(get(scores), get(x))))];
      const row = (lane: number): Code =>
        ptr.from(i32.load(ptr.add(get(offsetRow), get(x)), 4 * lane));
      const add = (value: Code): number => code.push(set(v, f32x4.add(get(v), value)));
      if (does.keyTerm) add(partial(lanes, (l) => ptr.add(get(keyRow), row(l))));
      if (does.queryTerm) {
        add(partial(lanes, (l) => plus(get(queryRow), ptr.of(l * queryStep), row(l))));
        code.push(bump(queryRow, ptr.of(4 * queryStep), ptr));
      }
      if (scale !== 1) {
        code.push(set(v, f32x4.mul(get(v), locals.constant(constantBits(scale, "f32")))));
      }
      if (does.bias) add(v128.load(ptr.add(get(biasRow), get(x))));
      if (does.keep) add(hidden(x, lanes));
      if (lanes < 4) {
        const there = v128.i32(...[0, 1, 2, 3].map((l) => l < lanes ? -1 : 0));
        code.push(
          set(v, v128.bitselect(get(v), locals.constant(constantBits(-Infinity, "f32")), there)),
        );
      }
      return [code, visit(get(v), x, lanes, strand)];
    };
    return [
      used ? set(offsetRow, offsets(at.rowTable, i)) : [],
      does.bias ? set(biasRow, offsets(at.bias, i)) : [],
      does.keyTerm ? set(keyRow, rowOf("keyTerm", get(i))) : [],
      does.queryTerm
        ? set(queryRow, plus(get(heads.get("queryTerm")!), line(first, queryStep)))
        : [],
      vectors(one),
    ];
  };

  const eachKey: Head["eachKey"] = (i, body) => {
    const x = locals.pointer(), stop = locals.pointer(), offsetRow = locals.pointer();
    const row = ptr.from(i32.load(ptr.add(get(offsetRow), get(x))));
    return [
      set(offsetRow, offsets(at.rowTable, i)),
      set(stop, line(end, 4)),
      loop(x, line(first, 4), get(stop), 4, body(x, row), ptr),
    ];
  };

  const factor: Head["factor"] = (i, x) => {
    const first = i32.mul(i32.add(i32.mul(get(h), i32.of(T)), get(i)), i32.of(T));
    const column = i32.shrU(ptr.low(get(x)), i32.of(2));
    const at = i32x4.add(v128.splat(i32.add(first, column)), v128.i32(0, 1, 2, 3));
    return dropFactor(does.dropout, [get(key0), get(key1)], at, locals);
  };
  return { start, seen, plain, row: rowOf, score, vectors, eachKey, turn, factor, offsets };
}
