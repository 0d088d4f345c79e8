/**
 * Single edits of the encoder's sizes, letters and axes. An edit counts as shape-changing if the edited program,
 * run on shapes alone (batch 2, time 5), throws, or sees any op with other shapes than the original does. The
 * compiler must refuse most of these; those that it lets through are right programs with other shapes.
 */
import { assert, assertEquals } from "@std/assert";
import { check, literalsOf, rejections, type Written } from "./compiler.ts";
import { runOnShapes } from "./shape_run.ts";

interface Edit {
  readonly kind: "size" | "letter" | "axis";
  readonly at: number;
  readonly old: string;
  readonly put: string;
}

const source = await Deno.readTextFile(new URL("encoder.ts", import.meta.url));

/** The arguments that hold sizes, axes, and equations or patterns, as "call argument". */
const SIZES = ["normal 0", "constant 0", "oneHot 1", "rearrange 2"];
const AXES = ["softmax 1", "logSoftmax 1", "sum 1", "expandDims 1"];
const STRINGS = ["einsum 0", "rearrange 1"];

const literals = literalsOf(source);
const at = (places: readonly string[]): readonly Written[] =>
  literals.filter(({ call, argument }) => places.includes(`${call} ${argument}`));
const each = (kind: Edit["kind"], { at, text }: Written, puts: readonly string[]): Edit[] =>
  puts.filter((put) => put !== text).map((put) => ({ kind, at, old: text, put }));

const sizes = at(SIZES).flatMap((size) => each("size", size, ["7", "1024"]));
const axes = at(AXES).flatMap((axis) => each("axis", axis, ["-3", "-2", "-1", "0", "1", "2", "5"]));
/** Each letter becomes the two letters that follow it in the order of its string. */
const letters = at(STRINGS).flatMap(({ at, text }) => {
  const used = [...new Set(text.match(/[a-z]/g))];
  return [...text].flatMap((old, i) =>
    used.includes(old)
      ? [1, 2].map((step) => used[(used.indexOf(old) + step) % used.length]!)
        .map((put): Edit => ({ kind: "letter", at: at + i, old, put }))
      : []
  );
});

function edited({ at, old, put }: Edit): string {
  return source.slice(0, at) + put + source.slice(at + old.length);
}

function sameSet(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && [...a].every((x) => b.has(x));
}

Deno.test("types: the compiler refuses at least 85 % of the edits that change a shape of the encoder", () => {
  assertEquals(check(source).diagnostics, []);
  const original = runOnShapes(source);
  assertEquals(original.error, undefined);
  const edits = [...sizes, ...letters, ...axes];
  const changing = edits.map((edit) => ({ edit, trace: runOnShapes(edited(edit)) }))
    .filter(({ trace }) => trace.error !== undefined || !sameSet(trace.seen, original.seen));
  const refused = rejections(changing.map(({ edit }) => edited(edit)));
  for (const kind of ["size", "letter", "axis"]) {
    const own = changing.flatMap(({ edit }, i) => edit.kind === kind ? [refused[i]!] : []);
    const tried = edits.filter((edit) => edit.kind === kind).length;
    console.log(`${kind}: ${own.filter(Boolean).length} of ${own.length} refused (${tried} tried)`);
    assert(own.length > 0, `no edit of a ${kind} changes a shape`);
  }
  const through = changing.filter((_, i) => !refused[i]);
  for (const { edit, trace } of through) {
    const line = source.slice(0, edit.at).split("\n").length;
    console.log(
      `  let through: line ${line}, ${edit.old} -> ${edit.put}, ${trace.error ?? "runs"}`,
    );
  }
  assert(through.length <= 0.15 * changing.length);
});
