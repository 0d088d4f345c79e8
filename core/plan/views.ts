/**
 * Strided access: how movement nodes dissolve. A reshape of a view and a map that is read through a view are one question:
 * can coordinates be sent through a row-major index and still move in strides? `through` answers it.
 *
 * @module
 */
import { type Node, sizeOf, type Sizes, stridesOf } from "../graph/node.ts";

/** Element `offset` + coordinates · strides. */
export interface Access {
  readonly offset: number;
  readonly strides: readonly number[];
}

/** What must have been computed before a value may be read: an alias with more than one input. */
export interface Barrier {
  readonly id: number;
  readonly after: readonly Node[];
}

/** A window on the buffer of `base`. Axes of size 1 have stride 0. */
export interface View extends Access {
  readonly base: Node;
  readonly shape: Sizes;
  readonly barriers: readonly Barrier[];
}

/** The whole buffer of a node. */
export function wholeView(base: Node): View {
  return { base, shape: base.shape, offset: 0, strides: packed(base.shape), barriers: [] };
}

/** Row-major strides, 0 for axes of size 1. */
export function packed(sizes: Sizes): number[] {
  return stridesOf(sizes).map((s, i) => sizes[i] === 1 ? 0 : s);
}

/** Does the access walk a buffer from its start in row-major order? */
export function isPacked(sizes: Sizes, a: Access): boolean {
  let step = 1;
  for (let i = sizes.length - 1; i >= 0; i--) {
    if (sizes[i] !== 1 && a.strides[i] !== step) return false;
    step *= sizes[i]!;
  }
  return a.offset === 0;
}

/** Equal addresses everywhere; both have stride 0 where the size is 1. */
export function sameAccess(a: Access, b: Access): boolean {
  return a.offset === b.offset && a.strides.length === b.strides.length &&
    a.strides.every((s, i) => s === b.strides[i]);
}

export function permuted(v: View, axes: readonly number[]): View {
  return { ...v, shape: axes.map((k) => v.shape[k]!), strides: axes.map((k) => v.strides[k]!) };
}

/** Axes of size 1 repeated: stride 0, which they have already. */
export function expanded(v: View, shape: Sizes): View {
  return { ...v, shape };
}

export function sliced(
  v: View,
  shape: Sizes,
  starts: readonly number[],
  steps: readonly number[],
): View {
  return {
    ...v,
    shape,
    offset: starts.reduce((at, start, i) => at + start * v.strides[i]!, v.offset),
    strides: v.strides.map((s, i) => shape[i] === 1 ? 0 : s * steps[i]!),
  };
}

/** The same elements under another shape, or null if strides cannot say it. */
export function reshaped(v: View, shape: Sizes): View | null {
  const access = through(shape, { offset: 0, strides: packed(shape) }, v.shape, v);
  return access && { ...v, ...access, shape };
}

/**
 * Merges neighbouring axes that every access walks in one go; axes of size 1 go. Axes from `fixed` on are kept as they are.
 */
export function collapsed(
  sizes: Sizes,
  strides: readonly (readonly number[])[],
  fixed = sizes.length,
): { readonly sizes: readonly number[]; readonly strides: readonly (readonly number[])[] } {
  const out: number[] = [], kept: number[] = [];
  for (let i = 0; i < sizes.length; i++) {
    const n = sizes[i]!, last = kept.at(-1);
    if (i < fixed) {
      if (n === 1) continue;
      if (last !== undefined && strides.every((s) => s[last] === s[i]! * n)) {
        out[out.length - 1]! *= n;
        kept[kept.length - 1] = i;
        continue;
      }
    }
    out.push(n);
    kept.push(i);
  }
  // Nothing has merged, as a rule: then the strides are what they were.
  if (kept.length === sizes.length) return { sizes, strides };
  return { sizes: out, strides: strides.map((s) => kept.map((i) => s[i]!)) };
}

/** x in the mixed radix of row-major strides; every digit has the sign of x. */
function digits(x: number, radix: readonly number[]): number[] {
  let rest = Math.abs(x);
  return radix.map((r) => {
    const d = Math.floor(rest / r);
    rest -= d * r;
    return d === 0 ? 0 : Math.sign(x) * d;
  });
}

/**
 * `read` walks the row-major index of `shape`, whose elements lie at `inner`: the access that does both. Null if a step of
 * `read` carries from one axis of `shape` into another.
 */
export function through(
  sizes: Sizes,
  read: Access,
  shape: Sizes,
  inner: Access,
): Access | null {
  if (sizeOf(sizes) === 0) return { offset: 0, strides: sizes.map(() => 0) };
  const { sizes: m, strides: [q] } = collapsed(shape, [inner.strides]);
  const radix = stridesOf(m), start = digits(read.offset, radix);
  const low = [...start], high = [...start];
  const strides = read.strides.map((s, i) => {
    const steps = sizes[i]! - 1;
    return digits(s, radix).reduce((sum, d, k) => {
      if (d < 0) low[k]! += d * steps;
      else high[k]! += d * steps;
      return sum + d * q![k]!;
    }, 0);
  });
  if (m.some((n, k) => low[k]! < 0 || high[k]! >= n)) return null;
  return { offset: start.reduce((sum, d, k) => sum + d * q![k]!, inner.offset), strides };
}
