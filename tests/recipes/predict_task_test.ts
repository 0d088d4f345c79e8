/** Names, answers and choices: what `predict` says of a text is what `clue` says of a file that holds it. */
import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { cpu } from "../../core/mod.ts";
import { InputError } from "../../recipes/cli/input_error.ts";
import { answerer } from "../../recipes/clue/answer.ts";
import { savedTask } from "../../recipes/clue/saved_task.ts";
import { answer, choose, entities } from "../../recipes/predict/task_question.ts";
import { openPredictor } from "../../recipes/predict/open_predictor.ts";
import { encoderOptions } from "../../recipes/pretrain/model.ts";
import { tokenizer } from "../../recipes/text/tokenize.ts";
import { inFolder } from "../in_folder.ts";
import { savedTaskOf, vocabulary } from "./asked_models.ts";
import { runTask } from "./recipe_command.ts";

const characters = vocabulary.tokens.filter((token) => /^\p{Script=Han}$/u.test(token));
/** Text with spaces, letters and a character of two code units in it. */
const text = (n: number, seed = 0): string =>
  Array.from({ length: n }, (_, i) => {
    if (i % 17 === 16) return ["𠮷", " ", "A"][i % 3];
    return characters[(i * i + 7 * i + seed) % characters.length];
  }).join("").trim() + "𠮷天";

const device = cpu();

/** What `clue` answers to a file of one example: the lines of its submission, or the object that it is. */
async function linesOf(folder: string, name: string, file: string): Promise<readonly unknown[]> {
  const { task, config, open } = await savedTask(join(folder, "saved"));
  await Deno.mkdir(join(folder, "data"));
  await Deno.writeTextFile(join(folder, "data", "test.json"), file);
  const [test] = await task.tests(join(folder, "data"), tokenizer(vocabulary), config.length);
  assert(test, name);
  const ask = answerer(task.head, encoderOptions(config.model), 4, vocabulary.pad, device);
  const outputs = await ask(await open(device), test.units);
  const lines = test.lines(outputs), isObject = lines[0] === "{";
  return (isObject ? [lines.join("\n")] : lines).map((line) => JSON.parse(line));
}

const characterSlice = (text: string, start: number, end: number): string =>
  Array.from(text).slice(start, end).join("");

for (const name of ["cluener", "cluener-softmax"]) {
  Deno.test(`predict: names by ${name} are those of clue, at their places, in texts of several rows too`, () =>
    inFolder(async (folder) => {
      await savedTaskOf(join(folder, "saved"), name, device);
      const long = text(300), file = JSON.stringify({ id: 0, text: long });
      const [line] = await linesOf(folder, name, file) as [{ readonly label: object }];
      const [found] = await entities(await openPredictor(join(folder, "saved"), device), [long]);
      const label: Record<string, Record<string, number[][]>> = {};
      for (const { type, text: surface, start, end } of found!) {
        assertEquals(surface, characterSlice(long, start, end));
        ((label[type] ??= {})[surface] ??= []).push([start, end - 1]);
      }
      assertEquals(label, line.label);
      assert(found!.length > 0);
    }));
}

Deno.test("predict: an answer is that of clue's windows, at its place", () =>
  inFolder(async (folder) => {
    await savedTaskOf(join(folder, "saved"), "cmrc2018", device);
    const context = text(700), question = text(20, 3);
    const qas = [{ id: "q", question }], data = [{ paragraphs: [{ id: "p", context, qas }] }];
    const [line] = await linesOf(folder, "cmrc2018", JSON.stringify({ data }));
    const tools = await openPredictor(join(folder, "saved"), device);
    const [found] = await answer(tools, [{ question, context }]);
    assertEquals(Object.values(line as object)[0], found!.answer);
    assertEquals(found!.answer, characterSlice(context, found!.start, found!.end));
    const long = { question: text(100), context };
    await assertRejects(() => answer(tools, [long]), InputError, "input[0]: its question has ");
    assert((await answer(tools, [long], { truncate: true }))[0]);
    const most = { question, context: text(30_000) };
    await assertRejects(() => answer(tools, [most]), InputError, "the limit is 128; cut it");
  }));

Deno.test("predict: choices for questions and blanks are those of clue", () =>
  inFolder(async (folder) => {
    await savedTaskOf(join(folder, "saved"), "c3", device);
    const asked = { text: text(80), question: text(9, 5), choices: [text(4, 1), text(7, 2), "天"] };
    const file = JSON.stringify([[[asked.text], [{
      question: asked.question,
      choice: asked.choices,
    }], "1"]]);
    const [line] = await linesOf(folder, "c3", file) as [{ readonly label: number }];
    const tools = await openPredictor(join(folder, "saved"), device),
      found = await choose(tools, [asked]);
    assertEquals([found[0]!.place, found[0]!.choice], [line.label, asked.choices[line.label]]);
    assertAlmostEquals(found[0]!.probabilities.reduce((a, b) => a + b), 1, 1e-6);
    assertEquals(found[0]!.probabilities.length, 3);
    const { question: _, ...rest } = asked;
    await assertRejects(() => choose(tools, [rest]), InputError, 'it has no "question"');
    const one = { ...asked, choices: ["天"] };
    await assertRejects(() => choose(tools, [one]), InputError, "it must have 2 to 4");
    const long = { ...asked, text: text(600) };
    await assertRejects(() => choose(tools, [long]), InputError, "the limit is 512");
  }));

Deno.test("predict: an idiom for a blank is that of clue", () =>
  inFolder(async (folder) => {
    await savedTaskOf(join(folder, "saved"), "chid", device);
    const choices = [text(2, 1), text(2, 4), text(3, 2)], content = `${text(30)}#idiom#${text(40)}`;
    const file = JSON.stringify({
      content: [content.replace("#idiom#", "#idiom000001#")],
      candidates: choices,
    });
    const [line] = await linesOf(folder, "chid", file);
    const tools = await openPredictor(join(folder, "saved"), device);
    const [found] = await choose(tools, [{ text: content, choices }]);
    assertEquals(Object.values(line as object), [found!.place]);
    const wrong = [
      [{ text: "天", choices }, "it has 0 blanks"],
      [{ text: content, choices: ["天", "天"] }, "a choice is there twice"],
      [{ text: content, question: "天", choices }, 'it has a "question"'],
    ] as const;
    for (const [asked, why] of wrong) {
      await assertRejects(() => choose(tools, [asked]), InputError, why);
    }
    // Of 64 tokens 60 may be an idiom's.
    const fits = "天".repeat(60), long = [{ text: content, choices: [...choices, `${fits}地`] }];
    const why = "input[0]: a choice has 61 tokens, the limit is 60; shorten it";
    await assertRejects(() => choose(tools, long), InputError, why);
    const whole = [{ text: content, choices: [...choices, fits] }];
    const [cut, same] = [await choose(tools, long, { truncate: true }), await choose(tools, whole)];
    assertEquals(cut[0]!.probabilities, same[0]!.probabilities);
  }));

Deno.test("predict: the command answers a file of texts with names, and says what a kind needs", () =>
  inFolder(async (folder) => {
    await savedTaskOf(join(folder, "saved"), "cluener", device);
    await Deno.writeTextFile(join(folder, "in.txt"), `${text(40)}\n${text(9, 8)}\n`);
    const call = (...words: string[]) =>
      runTask("predict", folder, [
        "--model",
        "saved",
        "--in",
        "in.txt",
        "--device",
        "cpu",
        ...words,
      ]);
    const [good, classes, plain] = await Promise.all([
      call("--kind", "entities"),
      call("--kind", "classify"),
      call("--kind", "answer"),
    ]);
    assertEquals(good.code, 0, good.error);
    const rows = good.out.trimEnd().split("\n").map((line) => JSON.parse(line));
    assertEquals(rows.map((row) => Object.keys(row)), [["entities"], ["entities"]]);
    assertEquals([classes.code, plain.code], [2, 2]);
    assertEquals(
      classes.error,
      "Cannot ask saved for classify: it knows no classes; learn some with deno task clue --save DIR, and take that folder\n",
    );
    assertEquals(
      plain.error,
      'Cannot ask for answer of plain text in in.txt: write {"question": "...", "context": "..."} a line, in a .jsonl file\n',
    );
  }));
