/**
 * CLUENER: names of ten types in a sentence of news.
 *
 * Tokens are tagged B, I (begin and inside of a name of several tokens), S (a name of one) with its type, or O. What is no such run is no name.
 *
 * Source: Xu et al. 2020 (arXiv 2001.04351); https://github.com/CLUEbenchmark/CLUENER2020
 *
 * @module
 */
import { defaults } from "../defaults.ts";
import { isRecord } from "../../cli/schema.ts";
import {
  type Fail,
  faultOf,
  field,
  type Fields,
  idOf,
  jsonObject,
  listOf,
  refuseOthers,
} from "../fields.ts";
import type { Head } from "../heads/head.ts";
import { crf } from "../heads/crf.ts";
import { tags } from "../heads/tags.ts";
import { entityF1, type Surfaces } from "../metrics/entity_f1.ts";
import { type Task, task } from "../task.ts";
import { charactersBefore, type Entity, type TaskQuestion } from "../task_questions.ts";
import { type Place, type PlacedTokens, placedTokens, utf16Index } from "../token_places.ts";
import type { Vocabulary } from "../../text/vocabulary.ts";
import type { Unit } from "../unit.ts";

/** Types of names. */
const TYPES = [
  ...["address", "book", "company", "game", "government"],
  ...["movie", "name", "organization", "position", "scene"],
] as const;

/** A name: where it stands in the text. */
interface Name {
  readonly type: string;
  readonly place: Place;
}

/** A sentence. */
interface Sentence {
  readonly id: number | string;
  readonly text: string;
  /** Undefined where they are hidden. */
  readonly names?: readonly Name[];
}

/** A part of the sentence that fits in a row, and the places of its tokens, without [CLS] and [SEP]. */
interface PartUnit extends Unit {
  readonly places: readonly Place[];
}

/** O, then B, I and S of every type. */
const OUTSIDE = 0, KINDS = ["B", "I", "S"] as const;
const TAGS = ["O", ...TYPES.flatMap((type) => KINDS.map((kind) => `${kind}-${type}`))];
const tagOf = (kind: 0 | 1 | 2, type: string): number =>
  1 + 3 * TYPES.indexOf(type as typeof TYPES[number]) + kind;

/** Names in a label: {type: {surface: [[first, last], …]}}, in characters, both inside. */
function namesOf(label: unknown, text: string, fail: Fail): readonly Name[] {
  const types = isRecord(label) ? label : fail('"label" is no object');
  return Object.entries(types).flatMap(([type, surfaces]) => {
    if (!(TYPES as readonly string[]).includes(type)) {
      fail(`"label" has the type ${JSON.stringify(type)}, it must be one of ${TYPES.join(", ")}`);
    }
    const own = isRecord(surfaces) ? surfaces : fail(`"${type}" of "label" is no object`);
    return Object.entries(own).flatMap(([surface, spans]) =>
      listOf(spans, `places of ${JSON.stringify(surface)}`, fail).map((span): Name => {
        const [first, last] = Array.isArray(span) ? span : [];
        const sound = Number.isInteger(first) && Number.isInteger(last) && first >= 0;
        const [start, end] = sound ? [utf16Index(text, first), utf16Index(text, last + 1)] : [0, 0];
        if (!sound || surface === "" || text.slice(start, end) !== surface) {
          fail(
            `${type} ${JSON.stringify(surface)} does not stand at ${
              JSON.stringify(span)
            } of the text`,
          );
        }
        return { type, place: [start, end] };
      })
    );
  });
}

/** Tags of tokens. Of names that overlap the longest is taught: a token has one tag. */
function tagsOf(places: readonly Place[], names: readonly Name[]): readonly number[] {
  const found: number[] = places.map(() => OUTSIDE);
  const length = ({ place: [start, end] }: Name): number => end - start;
  for (const { type, place: [start, end] } of names.toSorted((a, b) => length(b) - length(a))) {
    const first = places.findIndex(([, to]) => to > start);
    const last = places.findLastIndex(([from]) => from < end);
    if (first < 0 || last < first) continue;
    if (found.slice(first, last + 1).some((tag) => tag !== OUTSIDE)) continue;
    for (let t = first; t <= last; t++) {
      found[t] = tagOf(t > first ? 1 : first < last ? 0 : 2, type);
    }
  }
  return found;
}

/** Names in tags of tokens. */
function taggedNames(tags: ArrayLike<number>, places: readonly Place[]): readonly Name[] {
  const found: Name[] = [];
  for (let t = 0; t < places.length;) {
    const first = t++, tag = tags[first]!;
    if (tag === OUTSIDE) continue;
    const kind = (tag - 1) % 3, type = TYPES[Math.floor((tag - 1) / 3)]!;
    while (kind === 0 && t < places.length && tags[t] === tag + 1) t++;
    if (kind === 2 || t > first + 1) {
      found.push({ type, place: [places[first]![0], places[t - 1]![1]] });
    }
  }
  return found;
}

const surfacesOf = (text: string, names: readonly Name[]): Surfaces =>
  Object.fromEntries(
    Array.from(
      Map.groupBy(names, ({ type }) => type),
      ([type, own]) => [type, own.map(({ place }) => text.slice(...place))],
    ),
  );

/** Parts of a sentence as rows; `tags` are those of its tokens. */
function partsOf(
  { ids, places }: PlacedTokens,
  { cls, sep }: Vocabulary,
  length: number,
  tags?: readonly number[],
): readonly PartUnit[] {
  const room = length - 2;
  return Array.from({ length: Math.ceil(ids.length / room) }, (_, n): PartUnit => {
    const part = <T>(list: readonly T[]): readonly T[] => list.slice(n * room, (n + 1) * room);
    const row = [cls, ...part(ids), sep];
    return {
      places: part(places),
      rows: [{ ids: row, segments: row.map(() => 0) }],
      target: tags ? [OUTSIDE, ...part(tags), OUTSIDE] : [],
    };
  });
}

/** Names in the tags of a sentence's parts. */
const namesIn = (parts: readonly PartUnit[], outputs: readonly Float32Array[]): readonly Name[] =>
  parts.flatMap(({ places }, i) => taggedNames(outputs[i]!.subarray(1), places));

/** The names of any text, of any length. */
const entities: TaskQuestion<string, readonly Entity[]> = {
  rows: (text, { tokenizer, length }) =>
    partsOf(placedTokens(tokenizer, text), tokenizer.vocabulary, length).flatMap(({ rows }) =>
      rows
    ),
  answer: (text, outputs, { tokenizer, length }) =>
    namesIn(partsOf(placedTokens(tokenizer, text), tokenizer.vocabulary, length), outputs)
      .map(({ type, place: [start, end] }) => ({
        type,
        text: text.slice(start, end),
        start: charactersBefore(text, start),
        end: charactersBefore(text, end),
      })),
};

/** Names as files have them. */
function labelText(text: string, names: readonly Name[]): Fields {
  const characters = (at: number): number => charactersBefore(text, at);
  const label: Record<string, Record<string, (readonly number[])[]>> = {};
  for (const { type, place: [start, end] } of names) {
    ((label[type] ??= {})[text.slice(start, end)] ??= []).push([
      characters(start),
      characters(end) - 1,
    ]);
  }
  return label;
}

function cluenerTask(
  name: "cluener" | "cluener-softmax",
  about: string,
  head: Head,
  variant: boolean,
): Task {
  const made = task<Sentence, readonly Name[], PartUnit>({
    ...{ name, about, head, variant },
    files: { train: ["train.json"], dev: ["dev.json"], test: ["test.json"] },
    folders: ["cluener", "cluener2020", "ner"],
    submits: { as: "cluener" },
    defaults: defaults[name],
    parse(line, fail, place) {
      const object = jsonObject(line, fail), text = field(object, "text", fail);
      refuseOthers(object, "cluener", fail);
      const names = object.label === undefined ? undefined : namesOf(object.label, text, fail);
      return { id: idOf(object, fail) ?? place, text, ...names && { names } };
    },
    id: ({ id }) => id,
    labelled: ({ names }) => names !== undefined,
    group: ({ text }) => text,
    units({ text, names }, tokenizer, length) {
      const tokens = placedTokens(tokenizer, text);
      const tags = names && tagsOf(tokens.places, names);
      return partsOf(tokens, tokenizer.vocabulary, length, tags);
    },
    decode: (_, outputs, __, units) => namesIn(units, outputs),
    judge: (sentences, answers) => ({
      macro_f1: entityF1(
        sentences.map(({ text }, i) => surfacesOf(text, answers[i]!)),
        sentences.map(({ text, names }) => surfacesOf(text, names!)),
        TYPES,
      ),
    }),
    line: ({ id, text }, names) => JSON.stringify({ id, label: labelText(text, names) }),
    fault: ({ text }, { label }) => faultOf((fail) => void namesOf(label, text, fail)),
  });
  return { ...made, tags: TAGS, questions: { entities } };
}

/** Tags that are chosen together. */
export const cluener = cluenerTask(
  "cluener",
  "names of ten types in news (CRF)",
  crf(TAGS.length),
  false,
);
/** Tags that are chosen one by one. */
export const cluenerSoftmax = cluenerTask(
  "cluener-softmax",
  "names of ten types in news (softmax)",
  tags(TAGS.length),
  true,
);
