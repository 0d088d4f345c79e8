/**
 * All parameters of a model in a row, leaf after leaf, of which spans are read and written.
 *
 * @module
 */
import {
  type AnyTensor,
  dispose,
  fromArray,
  mapTree,
  read,
  type Tensor,
  type Tree,
} from "../../core/mod.ts";
import type { Span } from "../../dist/mod.ts";
import type { Model } from "./model.ts";
import { lengthsOf, shapesOf, tensorsOf, treeOf } from "./tree_arrays.ts";

/** The row of a model like this one. */
export function rowOf(like: Model) {
  const shapes = shapesOf(like), lengths = lengthsOf(shapes);
  let length = 0;
  const spans = lengths.map((own): Span => {
    const from = length;
    length += own;
    return { from, to: length };
  });
  const touches = (leaf: number, { from, to }: Span): boolean =>
    spans[leaf]!.from < to && spans[leaf]!.to > from;
  /** The leaves of a model that a span touches, each read whole, and where in the row they are. */
  const touched = (model: Model, span: Span) =>
    Promise.all(
      tensorsOf(model).flatMap((x, leaf) =>
        touches(leaf, span)
          ? [read(x as Tensor).then((array) => ({ array, at: spans[leaf]!.from }))]
          : []
      ),
    );
  return {
    whole: { from: 0, to: length },
    /** Elements of the leaves. */
    lengths,
    async read(model: Model, { from, to }: Span): Promise<Float32Array<ArrayBuffer>> {
      const row = new Float32Array(to - from);
      for (const { array, at } of await touched(model, { from, to })) {
        const own = array.subarray(Math.max(0, from - at), Math.min(array.length, to - at));
        row.set(own, Math.max(0, at - from));
      }
      return row;
    },
    /** A model with other values in a span, which takes the place of this one. */
    async write(model: Model, { from, to }: Span, row: Float32Array): Promise<Model> {
      const found = await touched(model, { from, to });
      for (const { array, at } of found) {
        const first = Math.max(from, at), last = Math.min(to, at + array.length);
        array.set(row.subarray(first - from, last - from), first - at);
      }
      let leaf = 0;
      return mapTree(model as unknown as Tree<AnyTensor>, (x) => {
        const i = leaf++;
        if (!touches(i, { from, to })) return x;
        dispose(x);
        return fromArray(found.shift()!.array, shapes[i]!) as AnyTensor;
      }) as unknown as Model;
    },
    /** A model of other values. */
    model(row: Float32Array): Model {
      return treeOf(like, spans.map(({ from, to }) => row.slice(from, to)));
    },
  };
}
