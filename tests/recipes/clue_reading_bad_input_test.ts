/** What tasks of reading and of names refuse: each fault is named by file and place. */
import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { InputError } from "../../recipes/cli/input_error.ts";
import { tasks } from "../../recipes/clue/tasks.ts";
import {
  cmrc,
  dialogues,
  few,
  type Files,
  groupAnswers,
  groups,
  lines,
  sentences,
  texts,
  tokens,
  withFiles,
} from "./clue_reading_fixtures.ts";

/** Why a train split is refused; the folder is left out of it. */
async function refusal(name: string, files: Files): Promise<string> {
  let message = "";
  await withFiles(files, async (folder) => {
    const load = (): Promise<unknown> => tasks[name]!.load(folder, "train", tokens, 64);
    message = (await assertRejects(load, InputError)).message.replaceAll(join(folder, "/"), "");
  });
  assertEquals(message.includes("\n"), false, message);
  return message.replace("Cannot read ", "").replace(/; is it a file of .*/, "");
}

const [article] = cmrc().data, [paragraph] = article!.paragraphs;
const inPassage = (changes: Files): unknown => ({
  data: [article, {
    paragraphs: [{ ...paragraph, qas: cmrc({}, "B").data[0]!.paragraphs[0]!.qas, ...changes }],
  }],
});
const question = (changes: Files): unknown =>
  inPassage({ qas: [{ ...paragraph!.qas[0], id: "X", ...changes }] });

for (
  const [why, document] of [
    ["it is no JSON document (", '{"data": ['],
    ['"data" is not there', {}],
    ['"data" is not there', dialogues],
    ['"paragraphs" of data[0] is 3, it must be a list', { data: [{ paragraphs: 3 }] }],
    ["no example is in it", { data: [] }],
    ['data[1].paragraphs[0]: it has no "context"', inPassage({ context: undefined })],
    [
      'data[1].paragraphs[0]: "context" holds half a character (a lone surrogate)',
      inPassage({ context: "港\ud83d" }),
    ],
    ['data[1].paragraphs[0]: "qas" is not there', inPassage({ qas: undefined })],
    ['data[1].paragraphs[0]: "qas" is empty', inPassage({ qas: [] })],
    ["data[1].paragraphs[0]: a question is no object", inPassage({ qas: ["?"] })],
    ['data[1].paragraphs[0]: it has no "id"', question({ id: undefined })],
    ['data[1].paragraphs[0]: question X: it has no "question"', question({ question: undefined })],
    [
      'data[1].paragraphs[0]: question X: its answer "地中海" is not in the passage',
      question({ answers: [{ text: "地中海", answer_start: 3 }] }),
    ],
    [
      'data[1].paragraphs[0]: question X: "answer_start" of its first answer is no whole number',
      question({ answers: [{ text: "港" }] }),
    ],
    [
      'data[1].paragraphs[0]: question X: "text" is empty',
      question({ answers: [{ text: "", answer_start: 0 }] }),
    ],
    ["data[1].paragraphs[0]: it has no label", question({ answers: [] })],
    ["data[1].paragraphs[0]: id A_QUERY_0 is that of data[0].paragraphs[0]", {
      data: [article, article],
    }],
    ["data[0].paragraphs[0]: id A_QUERY_0 is there twice", {
      data: [{ paragraphs: [{ ...paragraph, qas: [paragraph!.qas[0], paragraph!.qas[0]] }] }],
    }],
    [
      "data[1].paragraphs[0]: question B_QUERY_1 has no answer, question B_QUERY_0 has",
      inPassage({
        qas: cmrc({}, "B").data[0]!.paragraphs[0]!.qas.map((one, i) =>
          i === 1 ? { ...one, answers: [] } : one
        ),
      }),
    ],
  ] as const
) {
  Deno.test(`CMRC 2018 is refused: ${why}`, async () => {
    const said = await refusal("cmrc2018", { "train.json": document });
    if (why.endsWith("(")) assertEquals(said.startsWith(`train.json: ${why}`), true, said);
    else assertEquals(said, `train.json: ${why}`);
  });
}

const asked = texts[0]![1]![0] as unknown as Files;
const asking = (
  changes: Files,
  id: unknown = "2",
): unknown => [texts[0], [["王。"], [{ ...asked, ...changes }], id]];
for (
  const [why, document] of [
    ['it is {"a":1}, it must be a list', { a: 1 }],
    ['record 2: it is "x", it must be a list', [texts[0], "x"]],
    ["record 2: it has no id", [texts[0], [["王"], [asked]]]],
    ["record 2: it has no text or no question", [texts[0], [["王"], [], "2"]]],
    ["record 2: a line of it is 5, it must be text", [texts[0], [[5], [asked], "2"]]],
    ["record 2: a question is no object", [texts[0], [["王"], [3], "2"]]],
    ['record 2: it has no "question"', asking({ question: undefined })],
    [
      'record 2: question "他在？": its answer "月" is not among its choices',
      asking({ answer: "月" }),
    ],
    [
      'record 2: question "他在？": it has 1 choices, it must have 2 to 4',
      asking({ choice: ["地"] }),
    ],
    [
      'record 2: question "他在？": choice 2 holds half a character (a lone surrogate)',
      asking({ choice: ["地", "\udc00"] }),
    ],
    ['record 2: question "他在？": "choice" is not there', asking({ choice: undefined })],
    ["record 2: it has no label", asking({ answer: undefined })],
    ["record 2: id 11-5/1 is that of record 1", asking({}, "11-5")],
  ] as const
) {
  Deno.test(`C3 is refused: ${why}`, async () => {
    assertEquals(await refusal("c3", { "train.json": document }), `train.json: ${why}`);
  });
}

Deno.test("C3 is refused where one of two files is not there", async () => {
  const said = await refusal("c3", { "c3-d-train.json": dialogues });
  assertEquals(said.split(": ")[0], "c3-m-train.json");
});

const group = (changes: Files): string => lines([groups[0], { ...groups[1], ...changes }]);
for (
  const [why, file, answers = groupAnswers] of [
    [
      "line 2: it is no JSON, as one whole object must stand on a line",
      `${lines(groups.slice(0, 1))}{'content': 1}`,
    ],
    ['line 2: "candidates" is not there', group({ candidates: undefined })],
    ["line 2: candidate 1 is 5, it must be text", group({ candidates: [5, "甲"] })],
    [
      "line 2: it has 11 candidates, it must have 2 to 10",
      group({ candidates: Array.from({ length: 11 }, (_, i) => `甲${i}`) }),
    ],
    ["line 2: a candidate is there twice", group({ candidates: ["甲", "甲"] })],
    ['line 2: "content" is not there', group({ content: undefined })],
    ["line 2: a passage holds half a character (a lone surrogate)", group({ content: ["\ud800"] })],
    ['line 2: no "#idiom…#" is in it', group({ content: ["令人。"] })],
    ["line 2: id #idiom000001# is that of line 1", group({ content: ["令#idiom000001#"] })],
    [
      "line 2: the file of answers has none for #idiom000009#",
      group({ content: ["令#idiom000009#"] }),
    ],
    ["line 2: answer #idiom000004# is 2, it must be from 0 to 1", lines(groups), {
      ...groupAnswers,
      "#idiom000004#": 2,
    }],
    ['line 2: it has "genre", as files of ocnli have', group({ genre: "gov" })],
  ] as readonly (readonly [string, string, Files?])[]
) {
  Deno.test(`ChID is refused: ${why}`, async () => {
    const files = { "train.json": file, "train_answer.json": answers };
    assertEquals(await refusal("chid", files), `train.json: ${why}`);
  });
}

Deno.test("ChID is refused where its answers are not there, or are none", async () => {
  assertEquals(
    await refusal("chid", { "train.json": lines(groups) }),
    "train.json: line 1: it has no label, and train_answer.json is not there",
  );
  const files = { "train.json": lines(groups), "train_answer.json": "[1]" };
  assertEquals(await refusal("chid", files), "train_answer.json: it is no object");
  await withFiles({ ...files, "train_answer.json": groupAnswers }, async (folder) => {
    const split = (): Promise<unknown> => tasks.chid!.split(join(folder, "train.json"));
    await assertRejects(split, InputError, "its answers are in");
  });
});

for (
  const [why, changes] of [
    ["answer is 3, it must be from 0 to 2", { answer: 3 }],
    ['answer is "x", it must be from 0 to 2', { answer: "x" }],
    ["2 blanks are in it, there must be one", { content: "#idiom##idiom#" }],
    ["id 7 is that of line 1", { id: 7 }],
    ["id is -1, it must be a whole number or text", { id: -1 }],
    ["it has no label, and train_few_all_answer.json is not there", { answer: undefined }],
  ] as const
) {
  Deno.test(`ChID of FewCLUE is refused: ${why}`, async () => {
    const file = lines([few[0], { ...few[0], id: 9, ...changes }]);
    assertEquals(
      await refusal("chid", { "train_few_all.json": file }),
      `train_few_all.json: line 2: ${why}`,
    );
  });
}

const label = (type: string, surface: string, spans: unknown): Files => ({
  label: { [type]: { [surface]: spans } },
});
for (
  const [why, changes] of [
    ['it has no "text"', { text: undefined }],
    ['"text" holds half a character (a lone surrogate)', { text: "在\ud800" }],
    ["it has no label", { label: undefined }],
    ['"label" is no object', { label: "0" }],
    [
      '"label" has the type "person", it must be one of address, book, company, game, government, movie, name, organization, position, scene',
      label("person", "王", [[1, 1]]),
    ],
    ['"name" of "label" is no object', { label: { name: [[1, 1]] } }],
    ['places of "王" is 3, it must be a list', label("name", "王", 3)],
    ['name "王" does not stand at [0,0] of the text', label("name", "王", [[0, 0]])],
    ['name "王" does not stand at [1,2] of the text', label("name", "王", [[1, 2]])],
    ['name "王" does not stand at [1] of the text', label("name", "王", [[1]])],
    ['name "" does not stand at [1,0] of the text', label("name", "", [[1, 0]])],
    ['it has "target", as files of cluewsc have', { target: {} }],
  ] as const
) {
  Deno.test(`CLUENER is refused: ${why}`, async () => {
    const file = lines([sentences[0], { ...sentences[1], ...changes }]);
    assertEquals(await refusal("cluener", { "train.json": file }), `train.json: line 2: ${why}`);
  });
}
