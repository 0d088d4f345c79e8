/** Answers are looked through before they are handed in: every fault is named, and nothing else. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { unzipSync } from "npm:fflate@0.8.3";
import { InputError } from "../../recipes/cli/input_error.ts";
import { checkSubmissions } from "../../recipes/clue/check_submissions.ts";
import { type Expected, submissionFaults } from "../../recipes/clue/submission.ts";
import { tasks } from "../../recipes/clue/tasks.ts";
import { writeSeedAnswers, zipOf } from "../../recipes/clue/write_submissions.ts";
import { fixtures, linesText, taskOf, withFiles } from "./clue_fixtures.ts";
import { fc } from "../property.ts";

const examples = (ids: readonly (number | string)[]): readonly Expected[] =>
  ids.map((id) => ({ id, fault: ({ label }) => label === "1" ? undefined : "wrong label" }));
const five = examples([0, 1, 2, 3, 4]);
const lines = [0, 1, 2, 3, 4].map((id) => JSON.stringify({ id, label: "1" }));

Deno.test("a right submission has no fault, with or without its last line's end", () => {
  assertEquals(submissionFaults(lines.join("\n") + "\n", five), []);
  assertEquals(submissionFaults(lines.join("\n"), five), []);
  assertEquals(submissionFaults(lines.join("\r\n"), five), []);
});

/** What is done to the lines, and the faults that come of it. */
const cases: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ["a wrong id", lines.with(2, '{"id":9,"label":"1"}'), [
    "line 3: id is 9, the test has no such id",
    "id 2 has no line",
  ]],
  ["an id in quotes", lines.with(2, '{"id":"2","label":"1"}'), [
    'line 3: id is "2", it must be the number 2',
    "id 2 has no line",
  ]],
  ["no id", lines.with(4, '{"label":"1"}'), ['line 5: it has no "id"', "id 4 has no line"]],
  ["a missing line", lines.toSpliced(1, 1), ["id 1 has no line"]],
  ["many missing lines", lines.slice(0, 1).concat(lines.slice(4)), [
    "ids 1 to 3 (3) have no line",
  ]],
  ["missing lines at both ends", lines.slice(2, 4), [
    "ids 0 to 1 (2) have no line",
    "id 4 has no line",
  ]],
  ["an unknown label", lines.with(0, '{"id":0,"label":"7"}'), ["line 1: wrong label"]],
  ["two answers", lines.toSpliced(3, 0, lines[1]!), [
    "line 4: id 1 is answered in line 2 already",
  ]],
  ["another order", [...lines.slice(1), lines[0]!], [
    "line 5: id 0 comes after id 4: the order must be the test's",
  ]],
  ["an empty line", lines.toSpliced(2, 0, ""), ["line 3: it is empty"]],
  ["a line that is no JSON", lines.with(3, "{'id': 3}"), [
    "line 4: it is no JSON",
    "id 3 has no line",
  ]],
  ["a list", lines.with(3, "[3]"), ["line 4: it is no object", "id 3 has no line"]],
  ["several faults at once", ['{"id":0,"label":1}', "", lines[4]!, lines[3]!], [
    "line 1: wrong label",
    "line 2: it is empty",
    "line 4: id 3 comes after id 4: the order must be the test's",
    "ids 1 to 2 (2) have no line",
  ]],
];
for (const [about, own, faults] of cases) {
  Deno.test(`a submission with ${about} is refused in words`, () => {
    assertEquals(submissionFaults(own.join("\n") + "\n", five), faults);
  });
}

Deno.test("an empty submission lacks all", () => {
  assertEquals(submissionFaults("", five), ["ids 0 to 4 (5) have no line"]);
});

Deno.test("whatever lines are left out, doubled or relabelled, so many faults are named", () =>
  fc.assert(fc.property(
    fc.array(fc.constantFrom("keep", "drop", "twice", "label"), { minLength: 1, maxLength: 30 }),
    (changes) => {
      const own = changes.flatMap((change, id) => {
        const line = JSON.stringify({ id, label: change === "label" ? "x" : "1" });
        return change === "drop" ? [] : change === "twice" ? [line, line] : [line];
      });
      const faults = submissionFaults(own.join("\n"), examples(changes.map((_, id) => id)));
      const runs = changes.join(" ").match(/drop( drop)*/g)?.length ?? 0;
      // An answer that is all there is and is nothing at all is one empty text, no line.
      const count = (which: string): number => changes.filter((change) => change === which).length;
      assertEquals(faults.length, runs + count("twice") + count("label"), faults.join("\n"));
    },
  )));

Deno.test("labels must be those of the task, as text", async () => {
  for (const [name, { test }] of Object.entries(fixtures)) {
    await withFiles({ "test.json": linesText(test.slice(0, 1)) }, async (folder) => {
      const id = Number(test[0]!.id), path = join(folder, "test.json");
      const faults = (label: unknown) => taskOf(name).faults(path, JSON.stringify({ id, label }));
      const [unknown] = await faults("7?");
      assert(unknown!.startsWith('line 1: label is "7?", it must be one of "'), unknown);
      assertEquals((await faults(1)).length, 1);
      assertEquals(await faults(undefined), ['line 1: it has no "label"']);
    });
  }
});

const all = Object.values(tasks);
const right = '{"id":0,"label":"1"}\n{"id":1,"label":"0"}\n';
const data = {
  "data/afqmc_public/test.json": linesText(fixtures.afqmc!.test),
  "data/CLUEWSC2020/test1.1.json": linesText(fixtures.cluewsc!.test),
};

Deno.test("names of files are compared to those that the tests at hand ask for", () =>
  withFiles({
    ...data,
    "out/afqmc_predict.json": right,
    "out/cluewsc_predict.json": '{"id":0,"label":"true"}\n',
    "out/notes.txt": "x",
  }, async (folder) => {
    const known = "asked for are afqmc_predict.json, cluewsc11_predict.json";
    assertEquals(await checkSubmissions(join(folder, "out"), all, join(folder, "data")), {
      files: ["afqmc_predict.json", "cluewsc_predict.json", "notes.txt"],
      faults: [
        "cluewsc_predict.json: nobody asks for such a file; did you mean cluewsc11_predict.json?",
        `notes.txt: nobody asks for such a file; ${known}`,
      ],
      absent: ["cluewsc11_predict.json"],
    });
  }));

Deno.test("faults in files, in folders and in archives are named with their file", async () => {
  const wrong = right.replace('"0"}', '"2"}');
  const zip = zipOf({ "afqmc_predict.json": wrong.trimEnd().split("\n") });
  await withFiles({
    ...data,
    "out/afqmc_predict.json": wrong,
    "submit.zip": zip,
    "out2/afqmc_predict.json": new Uint8Array([0xff, 0xfe]),
    "broken.zip": new Uint8Array([1, 2, 3]),
    "empty/.keep": "",
  }, async (folder) => {
    const check = (path: string) => checkSubmissions(join(folder, path), all, join(folder, "data"));
    const fault = 'afqmc_predict.json: line 2: label is "2", it must be one of "0", "1"';
    for (const path of ["out", "out/afqmc_predict.json", "submit.zip"]) {
      assertEquals((await check(path)).faults, [fault], path);
    }
    assertEquals((await check("out2")).faults, ["afqmc_predict.json: it is not UTF-8"]);
    await assertRejects(() => check("none"), InputError, "pass a file, a folder or a zip");
    await assertRejects(() => check("broken.zip"), InputError, "pass a file, a folder or a zip");
    await assertRejects(() => check("empty"), InputError, "no file is in it");
    const nothing = () => checkSubmissions(join(folder, "out"), all, join(folder, "out"));
    await assertRejects(nothing, InputError, "has no tests");
  });
});

Deno.test("the best seed's answers are written as they are, all seeds' in folders beside; a zip holds the same, byte by byte the same again", () =>
  withFiles({}, async (folder) => {
    const answers = { "afqmc_predict.json": right.trimEnd().split("\n"), "b.json": ["{}"] };
    const out = join(folder, "out");
    const other = { seed: 7, dev: 60, answers: { "afqmc_predict.json": ["{}"] } };
    await writeSeedAnswers(out, [other, { seed: 8, dev: 61, answers }]);
    const names = [...Deno.readDirSync(out)].map(({ name }) => name).sort();
    assertEquals(names, ["afqmc_predict.json", "b.json", "seed-7", "seed-8"]);
    const seventh = await Deno.readTextFile(join(out, "seed-7", "afqmc_predict.json"));
    assertEquals(seventh, "{}\n");
    assertEquals(await Deno.readTextFile(join(out, "afqmc_predict.json")), right);
    const zip = zipOf(answers), files = unzipSync(zip);
    assertEquals(Object.keys(files), ["afqmc_predict.json", "b.json"]);
    assertEquals(new TextDecoder().decode(files["afqmc_predict.json"]), right);
    assertEquals(zipOf(answers), zip);
  }));
