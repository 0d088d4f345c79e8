/**
 * Random cases of every shape rule: the rule as TypeScript text, and what its run-time twin gives. About a third
 * are wrong on purpose. Seeded, so that a failure can be run again.
 */
import * as rule from "../../core/shape/mod.ts";

export interface Case {
  readonly type: string;
  readonly result: rule.Result<unknown>;
}
type Numbers = readonly number[];

const SIZES = [0, 1, 1, 2, 3, 4, 6, 8, 12, 16, 24, 64, 100, 768, 3072, 30522, 65536];

/** Draws from a linear congruential generator. */
interface Draw {
  /** A whole number from 0 to n - 1. */
  below(n: number): number;
  /** True once in n. */
  once(n: number): boolean;
  of<T>(list: readonly T[]): T;
  shuffled<T>(list: readonly T[]): T[];
  size(): number;
  shape(rank?: number): number[];
  /** An axis of a shape of this rank; out of range once in nine. */
  axis(rank: number): number;
  /** The shape with an axis now and then set to 1, to another size, or dropped from the front. */
  like(shape: Numbers): number[];
  /** The shape with an axis changed once in n axes. */
  nearly(shape: Numbers, n?: number): number[];
}

function drawing(seed: number): Draw {
  let state = seed;
  const below = (n: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % n;
  };
  const once = (n: number): boolean => below(n) === 0;
  const of = <T>(list: readonly T[]): T => list[below(list.length)]!;
  const size = (): number => of(SIZES);
  return {
    below,
    once,
    of,
    size,
    shuffled(list) {
      const left = [...list];
      return list.map(() => left.splice(below(left.length), 1)[0]!);
    },
    shape: (rank = below(5)) => Array.from({ length: rank }, size),
    axis(rank) {
      if (once(9)) return once(2) ? rank + below(3) : -rank - 1 - below(3);
      return below(Math.max(rank, 1)) - (once(2) ? rank : 0);
    },
    like(shape) {
      const changed = shape.map((d) => once(6) ? size() : once(4) ? 1 : d);
      return changed.slice(once(3) ? below(shape.length + 1) : 0);
    },
    nearly: (shape, n = 12) => shape.map((d) => once(n) ? size() : d),
  };
}

const text = (value: unknown): string => JSON.stringify(value).replaceAll(",", ", ");

/** How to draw a case of one rule. */
const rules: Readonly<Record<string, (draw: Draw) => Case>> = {
  Broadcast(draw) {
    const s = draw.shape(), t = draw.like(s), [l, r] = draw.once(2) ? [s, t] : [t, s];
    return { type: `"add", ${text(l)}, ${text(r)}`, result: rule.broadcastShape("add", l, r) };
  },
  Where(draw) {
    const a = draw.shape(), b = draw.like(a), c = draw.like(a);
    return { type: `${text(c)}, ${text(a)}, ${text(b)}`, result: rule.whereShape(c, a, b) };
  },
  BroadcastTo(draw) {
    const t = draw.shape(), s = draw.once(4) ? draw.shape() : draw.like(t);
    return { type: `${text(s)}, ${text(t)}`, result: rule.broadcastToShape(s, t) };
  },
  Trailing(draw) {
    const s = draw.shape(), g = draw.nearly(s.slice(draw.below(s.length + 1)), 6);
    return { type: `"norm", ${text(s)}, ${text(g)}`, result: rule.trailingShape("norm", s, g) };
  },
  Matmul(draw) {
    const a = draw.shape(1 + draw.below(4)), k = draw.once(4) ? draw.size() : a.at(-1)!;
    const b = [...draw.like(a.slice(0, -2)), k, ...draw.shape(draw.once(8) ? 0 : 1)];
    return { type: `${text(a)}, ${text(b)}`, result: rule.matmulShape(a, b) };
  },
  Linear(draw) {
    const x = draw.shape(2 + draw.below(2)), w = draw.nearly([x.at(-1)!, draw.size()]);
    const b = draw.nearly(w.slice(1), 3);
    return { type: `${text(x)}, ${text(w)}, ${text(b)}`, result: rule.linearShape(x, w, b) };
  },
  OverAxis(draw) {
    const s = draw.shape(), a = draw.axis(s.length);
    return { type: `"sort", ${text(s)}, ${a}`, result: rule.overAxis("sort", s, a) };
  },
  Reduce(draw) {
    const s = draw.shape(), keep = draw.once(2), few = draw.below(3);
    const axes = draw.once(2)
      ? draw.axis(s.length)
      : draw.once(4)
      ? undefined
      : Array.from({ length: few }, () => draw.axis(s.length));
    const type = `"sum", ${text(s)}, ${axes === undefined ? "undefined" : text(axes)}, ${keep}`;
    return { type, result: rule.reduceShape("sum", s, axes, keep) };
  },
  Expand(draw) {
    const s = draw.shape(), a = draw.axis(s.length + 1);
    return { type: `${text(s)}, ${a}`, result: rule.expandShape(s, a) };
  },
  Squeeze(draw) {
    const s = draw.shape().map((d) => draw.once(2) ? 1 : d), a = draw.axis(s.length);
    return { type: `${text(s)}, ${a}`, result: rule.squeezeShape(s, a) };
  },
  Swap(draw) {
    const s = draw.shape(1 + draw.below(5)), a = draw.axis(s.length), b = draw.axis(s.length);
    return { type: `${text(s)}, ${a}, ${b}`, result: rule.swapShape(s, a, b) };
  },
  Transpose(draw) {
    const s = draw.shape();
    return { type: text(s), result: rule.transposeShape(s) };
  },
  Permute(draw) {
    const s = draw.shape();
    const order = draw.shuffled([...s.keys()]).map((i) =>
      draw.once(12) ? draw.axis(s.length) : draw.once(4) ? i - s.length : i
    );
    const p = draw.once(12) ? order.slice(1) : order;
    return { type: `${text(s)}, ${text(p)}`, result: rule.permuteShape(s, p) };
  },
  Reshape(draw) {
    const s = draw.shape(1 + draw.below(4)), i = draw.below(s.length), f = draw.of([2, 3, 4, 12]);
    const split = [...s.slice(0, i), Math.floor(s[i]! / f) || 1, f, ...s.slice(i + 1)];
    const merged = [...s.slice(0, i), s[i]! * (s[i + 1] ?? 1), ...s.slice(i + 2)];
    const t = draw.nearly(draw.once(2) ? split : merged);
    const put = t.map((d) => draw.once(4) ? -1 : d);
    return { type: `${text(s)}, ${text(put)}`, result: rule.reshapeShape(s, put) };
  },
  Concat(draw) {
    const s = draw.shape(), a = draw.axis(s.length), at = a < 0 ? a + s.length : a;
    const list = Array.from({ length: 1 + draw.below(3) }, () => {
      const other = s.map((d, i) => i === at || draw.once(15) ? draw.size() : d);
      return draw.once(20) ? other.slice(1) : other;
    });
    return { type: `${text(list)}, ${a}`, result: rule.concatShape(list, a) };
  },
  Stack(draw) {
    const s = draw.shape(), a = draw.axis(s.length + 1);
    const list = Array.from({ length: 1 + draw.below(3) }, () => draw.nearly(s));
    return { type: `${text(list)}, ${a}`, result: rule.stackShape(list, a) };
  },
  Split(draw) {
    const s = draw.shape(1 + draw.below(3)), a = draw.axis(s.length), d = s.at(a) ?? 12;
    const first = draw.below(d + 1), parts = draw.nearly([first, d - first], 8);
    return { type: `${text(s)}, ${text(parts)}, ${a}`, result: rule.splitShape(s, parts, a) };
  },
  Slice(draw) {
    const s = draw.shape(), a = draw.axis(s.length), d = s.at(a) ?? 1;
    const from = draw.below(d + 1),
      to = draw.once(5) ? draw.size() : from + draw.below(d - from + 1);
    return { type: `${text(s)}, ${a}, ${from}, ${to}`, result: rule.sliceShape(s, a, from, to) };
  },
  Resize(draw) {
    const s = draw.shape(), a = draw.axis(s.length), n = draw.once(3) ? draw.size() : draw.below(5);
    return { type: `"topK", ${text(s)}, ${a}, ${n}`, result: rule.resizeShape("topK", s, a, n) };
  },
  Pad(draw) {
    const s = draw.shape(), rank = draw.once(9) ? s.length + 1 : s.length;
    const w = Array.from({ length: rank }, (): [number, number] => [
      draw.below(4) - (draw.once(15) ? 1 : 0),
      draw.of([0, 1, 17]),
    ]);
    return { type: `${text(s)}, ${text(w)}`, result: rule.padShape(s, w) };
  },
  Gather(draw) {
    const s = draw.shape(), ids = draw.shape(draw.below(3)), a = draw.axis(s.length);
    const type = `"gather", ${text(s)}, ${text(ids)}, ${a}`;
    return { type, result: rule.gatherShape("gather", s, ids, a) };
  },
  TakeAlong(draw) {
    const s = draw.shape(), a = draw.axis(s.length), at = a < 0 ? a + s.length : a;
    const ids = draw.nearly(s).map((d, i) => i === at ? draw.size() : d).slice(
      draw.once(9) ? 1 : 0,
    );
    return { type: `${text(s)}, ${text(ids)}, ${a}`, result: rule.takeAlongShape(s, ids, a) };
  },
  ScatterAdd(draw) {
    const s = draw.shape(1 + draw.below(3)),
      ids = draw.shape(draw.below(3)),
      a = draw.axis(s.length);
    const want = rule.gatherShape("", s, ids, a), u = draw.nearly("ok" in want ? want.ok : s, 9);
    const type = `${text(s)}, ${text(ids)}, ${text(u)}, ${a}`;
    return { type, result: rule.scatterAddShape(s, ids, u, a) };
  },
  OneHot(draw) {
    const ids = draw.shape(), n = draw.size();
    return { type: `${text(ids)}, ${n}`, result: rule.oneHotShape(ids, n) };
  },
  Expect(draw) {
    const s = draw.shape(), t = draw.nearly(s, 5).slice(draw.once(6) ? 1 : 0);
    return { type: `${text(s)}, ${text(t)}`, result: rule.expectShapeOf(s, t) };
  },
  Einsum(draw) {
    const letters = [..."bhqkd"], size = new Map(letters.map((c) => [c, draw.size()]));
    const terms = Array.from({ length: 1 + draw.below(3) }, () => {
      const term = draw.shuffled(letters).filter(() => !draw.once(3)).join("");
      return draw.once(30) ? term + "b" : term;
    });
    const shapes = terms.map((term) => {
      const shape = [...term].map((c) => draw.once(16) ? draw.size() : size.get(c)!);
      return draw.once(16) ? shape.slice(1) : shape;
    });
    const all = draw.shuffled([...new Set(terms.join(""))]).filter(() => !draw.once(4)).join("");
    const output = all + (draw.once(16) ? "z" : "") + (draw.once(16) ? "b" : "");
    const equation = draw.once(30) ? terms.join(",") : `${terms.join(",")}->${output}`;
    const given = draw.once(20) ? [...shapes, [2]] : shapes;
    return { type: `"${equation}", ${text(given)}`, result: rule.einsumShape(equation, given) };
  },
  Rearrange(draw) {
    const h = draw.of([0, 2, 3, 4, 12]), d = draw.of([1, 5, 64, 100]);
    const pattern = draw.of([
      "b t (h d) -> b h t d",
      "b t (h d) -> b h t d",
      "b t (h d) -> (b t) (d h)",
      "b (t) (h 1 d) -> (b h) t 1 d",
      "b 1 (h d) -> b h d",
      "b t (h d) -> b h t",
      "b t (h d) -> b h t d x",
      "b t (h d) ->b h t d",
      "b b (h d) -> b h d",
      "  b  t ( h  d )  -> t b d h ",
      "h t d -> t (h d) 1",
    ]);
    const given = draw.of([{ h }, { h }, { h }, { d }, { h, d }, { h, d }, {}, { h, z: 2 }]);
    const s = [draw.size(), draw.once(3) ? 1 : draw.size(), draw.once(4) ? draw.size() : h * d];
    const shape = draw.once(9) ? s.slice(1) : draw.once(15) ? [...s, 2] : s;
    const type = `"${pattern}", ${text(shape)}, ${JSON.stringify(given)}`;
    return { type, result: rule.rearrangeShape(pattern, shape, given) };
  },
  OneDType(draw) {
    const list = Array.from({ length: 1 + draw.below(3) }, () => draw.of(["f32", "f32", "bf16"]));
    const result = rule.oneDType("stack", list);
    return {
      type: `"stack", ${text(list)}, { readonly ok: ${text(list[0])} }`,
      result,
    };
  },
};

/** The names of the rules. */
export const ruleNames: readonly string[] = Object.keys(rules);

/** `each` random cases of every rule. */
export function randomCases(seed: number, each: number): Case[] {
  const draw = drawing(seed);
  return ruleNames.flatMap((name) =>
    Array.from({ length: each }, () => {
      const one = rules[name]!(draw);
      return { type: `${name}<${one.type}>`, result: one.result };
    })
  );
}
