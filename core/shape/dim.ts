/**
 * Axes and their comparison.
 *
 * Every comparison goes through `Eq`, `Is1`, `IsWild`, `IsNum`, which give a definite answer even for a type
 * parameter: `B extends Dim` is equal to itself and to nothing else, so the body of a generic function checks.
 * How: TypeScript takes the false branch of a conditional type early only when the check fails with every type
 * parameter replaced by a wildcard. Mapped, conditional and template types swallow the wildcard;
 * ``Uppercase<`${B}`>`` does not, it stays an opaque string that is definitely not "1".
 * The price: a constant on the right must come through a parameter (`Z`, always `Lits`), or the comparison would
 * be decided where the alias is declared. The checker does this without promising it; `generic_test.ts` pins it.
 *
 * @module
 */

/** One axis: a number literal (size known), a string literal (a named size) or `number` (known only at run time). */
export type Dim = number | string;
/** A list of axes, mutable because it is only a list of types; `Dim[]` is any rank. */
export type Shape = Dim[];

/** A run-time size that remembers which axis it measures. */
export type Size<D> = number & { readonly axis: D };
/** The axis behind a size: D of `Size<D>`, a number literal as itself. */
export type DimOf<V> = V extends { readonly axis: infer D extends Dim } ? D : V;
/** The run-time shape of a tensor. */
export type Sizes<S> = { readonly [K in keyof S]: Size<S[K]> };
/** One size as an argument: a number, or the size of an axis of another tensor. `768` has axis 768. */
export type Length<D> = (D & Countable) | Size<D>;
/**
 * A shape as an argument. V is recovered by inference through the mapped type, also where it is a type
 * parameter: `zeros([x.shape[0], 3])` has shape ["B", 3].
 */
export type Lengths<V> = { readonly [K in keyof V]: Length<V[K]> };
/**
 * What numbers have and strings lack: a name alone is no size. `D & number` would not infer `number`.
 * @internal
 */
interface Countable {
  toFixed(): string;
}

/**
 * The constants that axes are compared with.
 * @internal
 */
export interface Lits {
  zero: "0";
  one: "1";
  minus: "-1";
  literal: `${number}`;
  wild: Uppercase<`${number}`>;
}
/** An axis as an opaque string. */
export type U<X extends Dim> = Uppercase<`${X}`>;
/** Are L and R the same axis? */
export type Eq<L extends Dim, R extends Dim> = { p: U<L>; q: U<R>; r: L; s: R } extends
  { p: U<R>; q: U<L>; r: R; s: L } ? true : false;
export type Is0<X extends Dim, Z extends Lits> = { p: U<X> } extends { p: Z["zero"] } ? true
  : false;
export type Is1<X extends Dim, Z extends Lits> = { p: U<X> } extends { p: Z["one"] } ? true : false;
export type IsMinus1<X extends Dim, Z extends Lits> = { p: U<X> } extends { p: Z["minus"] } ? true
  : false;
/** A number literal? */
export type IsNum<X extends Dim, Z extends Lits> = { p: U<X> } extends { p: Z["literal"] } ? true
  : false;
/** Plain `number`? By identity of types, because a wildcard would be assignable either way. */
export type IsWild<X extends Dim, Z extends Lits> = (<G>() => G extends U<X> ? 1 : 2) extends
  (<G>() => G extends Z["wild"] ? 1 : 2) ? true : false;
/** Equal, or one of them known only at run time? */
export type Fits<L extends Dim, R extends Dim, Z extends Lits> = Eq<L, R> extends true ? true
  : IsWild<L, Z> extends true ? true
  : IsWild<R, Z>;

/** A shape of known rank? */
export type IsTuple<S> = S extends readonly unknown[] ? number extends S["length"] ? false : true
  : false;
/** X seen as an axis without a test, which would be stuck on a type parameter. */
export type As<X> = { v: X } extends { v: infer D extends Dim } ? D : never;
/** T[K], or never. */
export type Get<T, K> = K extends keyof T ? T[K] : never;
