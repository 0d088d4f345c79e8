/**
 * Where elements stand: addresses and coordinates as WGSL. Shapes and strides are constants in the text, so that naga
 * and the driver fold every index.
 *
 * @module
 */
import type { Sizes } from "../../graph/node.ts";

/** WGSL integers wrap, so a negative stride is its complement. */
export function u32(n: number): string {
  return `${n >>> 0}u`;
}

/** Terms of an address: coordinate times stride, and an offset. */
export function address(
  offset: number,
  terms: readonly (readonly [coordinate: string, stride: number])[],
): string {
  const products = terms.filter(([at, s]) => s !== 0 && at !== "0u").map(([at, s]) =>
    s === 1 ? at : `${at} * ${u32(s)}`
  );
  if (offset !== 0 || !products.length) products.push(u32(offset));
  return products.join(" + ");
}

/** The coordinates of element number `linear` of a space. */
export function coordinates(linear: string, sizes: Sizes): string[] {
  let inner = 1;
  const out: string[] = [];
  for (let axis = sizes.length - 1; axis >= 0; axis--) {
    const n = sizes[axis]!, outermost = sizes.slice(0, axis).every((s) => s === 1);
    const at = inner === 1 ? linear : `${linear} / ${inner}u`;
    out.unshift(n === 1 ? "0u" : outermost ? `(${at})` : `(${at} % ${n}u)`);
    inner *= n;
  }
  return out;
}

/** Merges neighbouring axes wherever no operand can tell; fewer divisions a coordinate. The last axis is kept apart if `keepLast`. */
export function collapse(
  sizes: Sizes,
  strides: readonly (readonly number[])[],
  keepLast = false,
): { readonly sizes: number[]; readonly strides: number[][] } {
  const n: number[] = [], s: number[][] = strides.map(() => []);
  sizes.forEach((size, axis) => {
    const last = n.length - 1, free = !(keepLast && axis === sizes.length - 1);
    if (free && size === 1) return;
    const merges = free && last >= 0 &&
      strides.every((t, k) => s[k]![last] === t[axis]! * size);
    if (merges) {
      n[last]! *= size;
      strides.forEach((t, k) => s[k]![last] = t[axis]!);
    } else {
      n.push(size);
      strides.forEach((t, k) => s[k]!.push(t[axis]!));
    }
  });
  return { sizes: n, strides: s };
}

/** May four neighbours along the last axis be taken as one aligned vector? */
export function isVector(offset: number, strides: readonly number[]): boolean {
  return strides.at(-1) === 1 && offset % 4 === 0 &&
    strides.slice(0, -1).every((s) => s % 4 === 0);
}
