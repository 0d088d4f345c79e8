/**
 * Parts of kernels: each does some of a kernel's space, and touches a window of every buffer. A part is a kernel that says besides
 * where its elements stand in the window that it writes, and whether it adds to what other parts wrote before.
 *
 * `into` has strides over the store's own axes, as the kernel's description names them; without it the store is contiguous from its start.
 *
 * @module
 */
import { stridesOf } from "../../graph/node.ts";
import type {
  ColumnKernel,
  GatherKernel,
  HandKernel,
  Kernel,
  MatmulKernel,
  PlaceKernel,
  RowKernel,
  RowStore,
  ScatterKernel,
} from "../../plan/kernels.ts";
import type { Access } from "../../plan/views.ts";

interface Into {
  readonly into?: Access;
}
interface Adds {
  /** The result is combined with what is stored already. */
  readonly adds?: boolean;
}
interface First {
  /** The id of the first row of this part's table. */
  readonly first?: number;
}

/** Strides over [...outer, inner], the last one 0 if `perRow`. */
export type StorePart = RowStore & Into;
export type RowPart = Omit<RowKernel, "stores"> & { readonly stores: readonly StorePart[] };
/** Strides over [columns]. */
export type ColumnPart = ColumnKernel & Into & Adds;
/** Strides over [...batch, m, n]. */
export type MatmulPart = MatmulKernel & Into & Adds;
/** Strides over [...groups, ...count, ...row]. A part that is not the first of its table leaves alone what it does not find. */
export type GatherPart = GatherKernel & Into & First;
/** Strides over [...groups, size, ...row]. */
export type ScatterPart = ScatterKernel & Into & First & Adds;
/** Strides over `shape`. */
export type PlacePart = PlaceKernel & Into;

/** Every kernel is a part: all of itself. */
export type Part =
  | RowPart
  | ColumnPart
  | MatmulPart
  | GatherPart
  | ScatterPart
  | PlacePart
  | HandKernel;

/** A kernel as a part that says where it stores, so that it can be narrowed. */
export function wholePart(k: Kernel): Part {
  const into = (shape: readonly number[]): Access => ({ offset: 0, strides: stridesOf(shape) });
  switch (k.kind) {
    case "row": {
      const rows = { offset: 0, strides: [...stridesOf(k.outer), 0] };
      const all = into([...k.outer, k.inner]);
      return { ...k, stores: k.stores.map((s) => ({ ...s, into: s.perRow ? rows : all })) };
    }
    case "column":
      return { ...k, into: into([k.columns]) };
    case "matmul":
      return { ...k, into: into([...k.batch, k.m, k.n]) };
    case "gather":
      return { ...k, into: into([...k.groups, ...k.count, ...k.row]) };
    case "scatter":
      return { ...k, into: into([...k.groups, k.size, ...k.row]) };
    case "place":
      return { ...k, into: into(k.shape) };
    case "hand":
      return k;
  }
}
