/**
 * A model's weights out of files in Hugging Face's layout, and into them.
 *
 * @module
 */
import {
  type AnyTensor,
  fromArray,
  mapTree,
  paths,
  read,
  sizesOf,
  type Tensor,
  type Tree,
} from "../../core/mod.ts";
import { describe } from "../../nn/mod.ts";
import { InputError } from "../cli/input_error.ts";
import type { ModelSpec } from "../pretrain/model.ts";
import { type Layout, type Place, placeOf, scaledAxes } from "./names.ts";
import type { StoredTensors } from "./stored_tensors.ts";
import { turned } from "./turn.ts";

/** Weights that were looked at by their headers and fit a model. */
export interface FittingWeights {
  /** Are there those of the head for masked language modelling? */
  readonly hasHead: boolean;
  /** Names of tensors that a model of ours has no place for. */
  readonly leftOut: readonly string[];
  /** The weights in the structure of `like`, on the host. */
  readonly weights: <M>(like: M) => Promise<M>;
}

/** What of BERT's and of models fine-tuned from it has no place here, behind the family's prefix or without one. */
const NO_PLACE = /^(pooler|cls\.seq_relationship|classifier|qa_outputs)\./;
/** Counts that early versions of transformers saved as if they were weights. */
const BUFFERS = /(^|\.)embeddings\.(position_ids|token_type_ids)$/;

const head = (layout: Layout): string =>
  layout.family === "roberta" ? "lm_head" : "cls.predictions";

/** Names as they are today, with the family's prefix, by the names in a file. */
function namesNow(stored: StoredTensors, layout: Layout): Names {
  const { family } = layout, names = [...stored.entries.keys()];
  const hasPrefix = names.some((name) => name.startsWith(`${family}.`));
  const now = new Map<string, string>();
  for (const name of names) {
    const plain = name.replace(/LayerNorm\.gamma$/, "LayerNorm.weight")
      .replace(/LayerNorm\.beta$/, "LayerNorm.bias");
    const bare = !hasPrefix && /^(embeddings|encoder|pooler|positions|LayerNorm)\./.test(plain);
    const full = bare ? `${family}.${plain}` : plain, other = now.get(full);
    if (other !== undefined) {
      throw new InputError(
        `Cannot read ${stored.folder}: '${other}' and '${name}' are one parameter; keep one`,
      );
    }
    now.set(full, name);
  }
  // Output biases are tied: either name, or both.
  const bias = `${head(layout)}.bias`, twin = `${head(layout)}.decoder.bias`;
  if (!now.has(bias) && now.has(twin)) now.set(bias, now.get(twin)!);
  return now;
}

/** Pairs of tensors that must be equal where the file has both: ours are one. */
function tiesOf(layout: Layout): readonly (readonly [one: string, other: string])[] {
  const { family } = layout, decoder = `${head(layout)}.decoder`;
  return [
    [`${family}.embeddings.word_embeddings.weight`, `${decoder}.weight`],
    [`${head(layout)}.bias`, `${decoder}.bias`],
  ];
}

const show = (shape: readonly number[]): string => `[${shape.join(", ")}]`;

type Names = ReadonlyMap<string, string>;
/** Parameters of the model, and where they stand. */
type Places = readonly { readonly path: string; readonly place: Place }[];

const refusal = ({ folder }: StoredTensors, name: string, why: string): InputError =>
  new InputError(`Cannot read ${folder}: '${name}' ${why}`);

/** Refuses a parameter that is missing, or stands there in another shape or as no floats. */
function refuseMisfits(stored: StoredTensors, names: Names, places: Places): void {
  for (const { place: { name, shape } } of places) {
    const found = names.get(name), entry = stored.entries.get(found ?? "");
    if (found === undefined || !entry) {
      throw refusal(stored, name, `must be ${show(shape)}, and is missing`);
    }
    if (show(entry.shape) !== show(shape)) {
      throw refusal(stored, found, `must be ${show(shape)}, it is ${show(entry.shape)}`);
    }
    if (!/^(F32|F16|BF16)$/.test(entry.stored)) {
      throw refusal(stored, found, `must be F32, F16 or BF16, it is ${entry.stored}`);
    }
  }
}

/** Names of tensors that BERT has and we have not; refuses those that nobody knows. */
function leftOutOf(
  stored: StoredTensors,
  names: Names,
  known: ReadonlySet<string>,
  { family }: Layout,
): readonly string[] {
  const others = [...names].filter(([full]) => !known.has(full) && !BUFFERS.test(full));
  for (const [full, name] of others) {
    if (NO_PLACE.test(full.replace(`${family}.`, ""))) continue;
    const shape = show(stored.entries.get(name)!.shape);
    throw refusal(stored, name, `${shape} has no place in this model; is it another's?`);
  }
  return others.map(([, name]) => name);
}

/**
 * Compares the headers of files with a model.
 *
 * @throws InputError at the first tensor that is missing, of another shape or dtype, or that the model has no place for.
 */
export function fitWeights(stored: StoredTensors, spec: ModelSpec, layout: Layout): FittingWeights {
  const names = namesNow(stored, layout), ties = tiesOf(layout);
  const places = describe(spec)
    .map(({ path, shape }) => ({ path, place: placeOf(path, shape, layout) }));
  const ofHead = places.filter(({ path }) => path.startsWith("head."));
  const hasHead = ofHead.some(({ place }) => names.has(place.name));
  refuseMisfits(stored, names, hasHead ? places : places.filter((one) => !ofHead.includes(one)));
  const known = [...places.map(({ place }) => place.name), ...ties.map(([, other]) => other)];
  return {
    hasHead,
    leftOut: leftOutOf(stored, names, new Set(known), layout),
    weights: async <M>(like: M): Promise<M> => {
      await refuseUntied(stored, ties.map((pair) => pair.map((name) => names.get(name))));
      const wanted = new Map(
        paths(like as Tree<AnyTensor>).map(([path, tensor]) => {
          const shape = sizesOf(tensor), place = placeOf(path, shape, layout);
          const name = names.get(place.name);
          if (name === undefined) {
            throw refusal(stored, place.name, `must be ${show(place.shape)}, and is missing`);
          }
          return [name, { path, shape, place }] as const;
        }),
      );
      const found = new Map<string, AnyTensor>();
      await stored.each([...wanted.keys()], (name, values) => {
        const { path, shape, place } = wanted.get(name)!;
        found.set(path, fromArray(oursOf(values, place), [...shape]) as AnyTensor);
      });
      return mapTree(like as Tree<AnyTensor>, (_, path) => found.get(path)!) as M;
    },
  };
}

/** Values of a file as ours. */
function oursOf(values: Float32Array, { turned: to, shape, skipped }: Place): Float32Array {
  if (to) return turned(values, to[1], to[0]);
  return skipped > 0 ? values.slice(skipped * shape[1]!) : values;
}

/** Refuses output rows that are not the token rows, and biases of which there are two: a model of ours has one of each. */
async function refuseUntied(
  stored: StoredTensors,
  pairs: readonly (readonly (string | undefined)[])[],
): Promise<void> {
  for (const [one, other] of pairs) {
    if (one === undefined || other === undefined || one === other) continue;
    const both: Float32Array[] = [];
    await stored.each([one, other], (_, values) => both.push(values));
    const [a, b] = both;
    if (a!.length === b!.length && a!.every((x, i) => Object.is(x, b![i]))) continue;
    throw new InputError(
      `Cannot read ${stored.folder}: '${other}' differs from '${one}'; they must be tied, as BERT's are`,
    );
  }
}

/** A model's tensors by their names in a file. */
export async function placedWeights(
  model: Tree<AnyTensor>,
  layout: Layout,
): Promise<Readonly<Record<string, AnyTensor>>> {
  const placed: Record<string, AnyTensor> = {};
  for (const [path, tensor] of paths(model)) {
    const place = placeOf(path, sizesOf(tensor), layout);
    const values = theirsOf(await read(tensor as Tensor), place);
    placed[place.name] = fromArray(values, [...place.shape]) as AnyTensor;
  }
  return placed;
}

/** Names in a file of what is written in one byte, where that is asked for. All of them have their scales along the first axis. */
export function roundedNames(model: Tree<AnyTensor>, layout: Layout): ReadonlySet<string> {
  return new Set(
    paths(model).flatMap(([path, tensor]) =>
      scaledAxes(path, layout) === undefined ? [] : [placeOf(path, sizesOf(tensor), layout).name]
    ),
  );
}

/** Our values as those of a file; rows before the first position are 0. */
function theirsOf(values: Float32Array, { turned: from, shape, skipped }: Place): Float32Array {
  if (from) return turned(values, from[0], from[1]);
  if (skipped === 0) return values;
  const all = new Float32Array(values.length + skipped * shape[1]!);
  all.set(values, skipped * shape[1]!);
  return all;
}
