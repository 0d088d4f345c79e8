/** What every task's reader refuses, one by one: each fault by file and place, and files of other tasks. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { InputError } from "../../recipes/cli/input_error.ts";
import { tasks } from "../../recipes/clue/tasks.ts";
import { fixtures, tokens } from "./clue_fixtures.ts";
import {
  cmrc,
  dialogues,
  type Files,
  groupAnswers,
  groups,
  lines,
  sentences,
  texts,
  withFiles,
} from "./clue_reading_fixtures.ts";

/** Tasks of a line an example, one of their lines, and the fields that none may lack. */
const lineTasks: Readonly<Record<string, readonly [line: Files, fields: readonly string[]]>> = {
  ...Object.fromEntries(
    Object.entries({
      ...{ afqmc: ["sentence1", "sentence2"], lcqmc: ["sentence1", "sentence2"] },
      ...{ bustm: ["sentence1", "sentence2"], tnews: ["sentence"], iflytek: ["sentence"] },
      ...{ cmnli: ["sentence1", "sentence2"], ocnli: ["sentence1", "sentence2"] },
      ...{ cluewsc: ["text", "target"], csl: ["abst", "keyword"], qbqtc: ["query", "title"] },
      chnsenticorp: ["text_a"],
    }).map(([name, fields]) => [name, [fixtures[name]!.train[0]!, [...fields, "label"]] as const]),
  ),
  cluener: [sentences[0]!, ["text", "label"]],
};

/** Train splits of all tasks. */
const trains: Readonly<Record<string, Files>> = {
  ...Object.fromEntries(
    Object.entries(lineTasks).map(([name, [line]]) => [name, { "train.json": lines([line]) }]),
  ),
  cmrc2018: { "train.json": cmrc() },
  c3: { "train.json": [...dialogues, ...texts.map(([text, asked]) => [text, asked, "other"])] },
  chid: { "train.json": lines(groups), "train_answer.json": groupAnswers },
};

/** What reading a train split says: undefined where it is read. */
async function said(name: string, files: Files): Promise<string | undefined> {
  return await withFiles(files, async (folder) => {
    try {
      await tasks[name]!.load(folder, "train", tokens, 64);
      return undefined;
    } catch (error) {
      assert(error instanceof InputError, String(error));
      assertEquals(error.message.includes("\n"), false, error.message);
      return error.message.replaceAll(`${folder}/`, "");
    }
  });
}

Deno.test("all tasks are among those that are tried", () => {
  const names = Object.values(tasks).filter(({ variant }) => !variant).map(({ name }) => name);
  assertEquals(Object.keys(trains).sort(), names.sort());
});

for (const [name, [line, fields]] of Object.entries(lineTasks)) {
  Deno.test(`${name}: a line without a field, with an unknown label, half a character, or a second time is named`, async () => {
    const second = (changes: Files): Promise<string | undefined> => {
      const own = { ...line, id: undefined, idx: undefined };
      return said(name, { "train.json": lines([own, { ...own, ...changes }]) });
    };
    assertEquals(await second({}), undefined);
    for (const field of fields) {
      const lacking = await second({ [field]: undefined });
      assertStringIncludes(lacking ?? "", "Cannot read train.json: line 2: ", field);
      assertStringIncludes(lacking!, field === "keyword" ? '"keyword"' : field);
      assertStringIncludes(await second({ [field]: 1e9 }) ?? "", "line 2: ", field);
    }
    assertStringIncludes(await second({ label: "no such" }) ?? "", "line 2: ");
    const [text] = fields as readonly [string];
    assertStringIncludes(await second({ [text]: "半\ud800" }) ?? "", "half a character");
    const twice = await said(name, {
      "train.json": lines([1, 2, 1].map((id) => ({ ...line, id, idx: undefined }))),
    });
    assertStringIncludes(twice ?? "", "line 3: id 1 is that of line 1");
  });

  Deno.test(`${name}: U+2028 inside a line is a character of it`, async () => {
    // As files have it: JSON.stringify leaves it as it is.
    const marked = JSON.stringify({ ...line, id: 1, idx: undefined, note: "一\u2028二" });
    assert(marked.includes("\u2028"));
    await withFiles({ "train.json": `${marked}\n` }, async (folder) => {
      const { count, notes } = (await tasks[name]!.load(folder, "train", tokens, 64))!;
      assertEquals(count, 1);
      assertStringIncludes(notes[0] ?? "", "line 1 holds U+2028");
    });
  });
}

for (const [name, train] of Object.entries(trains)) {
  Deno.test(`${name}: an empty file and one that is cut off are refused`, async () => {
    const whole = train["train.json"];
    const text = typeof whole === "string" ? whole : JSON.stringify(whole);
    assertEquals(await said(name, train), undefined);
    const files = (content: string): Files => ({ ...train, "train.json": content });
    assertStringIncludes(await said(name, files("")) ?? "", "Cannot read train.json: ");
    assertStringIncludes(await said(name, files(" \n\n")) ?? "", "Cannot read train.json: ");
    assertStringIncludes(await said(name, files(text.slice(0, -9))) ?? "", "it is no JSON");
  });
}

/** Files that say nothing that would tell them from another task's: the same fields, and labels that both know. */
const alike: readonly (readonly [reader: string, of: string])[] = [
  ...["afqmc", "lcqmc", "bustm"].flatMap((one, _, all) =>
    all.filter((other) => other !== one).map((other) => [one, other] as const)
  ),
  // OCNLI's tests lack what tells its other files.
  ["ocnli", "cmnli"],
];

Deno.test("a file of another task is refused by every task, but for those that are alike", async () => {
  const read: string[] = [];
  for (const name of Object.keys(trains)) {
    for (const [other, files] of Object.entries(trains)) {
      if (other !== name && await said(name, files) === undefined) read.push(`${name} ${other}`);
    }
  }
  assertEquals(read.sort(), alike.map((pair) => pair.join(" ")).sort());
});

Deno.test("what a document lacks is named by its place: half a character, U+2028, an answer that is not there", async () => {
  await assertRejects(
    () => withFiles({ "train.json": "" }, (folder) => tasks.c3!.load(folder, "train", tokens, 64)),
    InputError,
    "it is no JSON document",
  );
  const marked = JSON.stringify(cmrc()).replace("海明港号", "海明\u2028港号");
  assertEquals(await said("cmrc2018", { "train.json": marked }), undefined);
  const absent = cmrc({ answers: [{ text: "天地", answer_start: 0 }] });
  assertStringIncludes(
    await said("cmrc2018", { "train.json": absent }) ?? "",
    "is not in the passage",
  );
});
