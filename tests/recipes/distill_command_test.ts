/** `deno task distill` on text, as a user runs it. */
import { assert, assertEquals, assertLess, assertStringIncludes } from "@std/assert";
import { exists } from "@std/fs";
import { join } from "@std/path";
import { originOf } from "../../recipes/pretrain/init_from.ts";
import { inWorkplace, type Workplace } from "./pretrain_command.ts";
import { data } from "./data_command.ts";
import { type Ended, runRecipe } from "./recipe_command.ts";

const text = ["--corpus", "corpus.txt", "--device", "cpu"];

/** A teacher of two layers, and the command. */
async function withTeacher(
  test: (place: Workplace, distill: (words: readonly string[]) => Promise<Ended>) => Promise<void>,
): Promise<void> {
  await inWorkplace(async (place) => {
    const words = ["--config", "toy.json", "--set", "model.layers=2", "--out", "teacher"];
    const { code, error } = await place.pretrain([...text, ...words]);
    assertEquals(code, 0, error);
    await test(place, (words) => runRecipe("distill", place.folder, words));
  });
}

const timeless = (rows: readonly Readonly<Record<string, number>>[]): unknown =>
  rows.map(({ elapsed_s: _e, tokens_per_s: _t, ...row }) => row);

Deno.test("distill leaves a run like any other, and goes on to the bit", () =>
  withTeacher(async ({ folder, pretrain, rows }, distill) => {
    const step = async (...words: readonly string[]): Promise<void> => {
      const { code, error } = await data(folder, ...words);
      assertEquals(code, 0, error);
    };
    await step("clean", "--in", "corpus.txt", "--out", "clean");
    await step("pack", "--in", "clean", "--vocab", "teacher/vocab.txt", "--out", "packed");
    const asked = [
      ...["--teacher", "teacher", "--student", '{"layers": 1, "width": 8}'],
      ...["--data", "packed", "--device", "cpu"],
    ];
    const known = join(folder, "teacher", "vocab.txt"), tokens = await Deno.readTextFile(known);
    await Deno.writeTextFile(known, tokens.trimEnd().replace(/[^\n]*$/, "龘\n"));
    const other = await distill([...asked, "--out", "other"]);
    assertEquals([other.code, other.out], [2, ""], other.error);
    assertStringIncludes(other.error, "the vocabulary of packed differs at token");
    await Deno.writeTextFile(known, tokens);
    const { code, out, error } = await distill([
      ...asked,
      ...["--loss", "minilm,tinybert,logits=0.5", "--out", "student", "--json"],
    ]);
    assertEquals(code, 0, error);
    const printed = out.trimEnd().split("\n").map((line) => JSON.parse(line));
    const { steps, mlm_ppl, teacher_ppl, distill_loss, params, teacher_params } = printed.at(-1);
    assertEquals(steps, 8);
    for (const value of [mlm_ppl, teacher_ppl, distill_loss]) assert(value > 0, out);
    assertLess(params, teacher_params);
    const metrics = await rows("student/metrics.jsonl");
    assertEquals(metrics.map(({ step }) => step), [1, 2, 3, 4, 5, 6, 7, 8]);
    assertLess(metrics.at(-1)!.loss!, metrics[0]!.loss!);
    const page = await Deno.readTextFile(join(folder, "student", "report.html"));
    assertStringIncludes(page, "Held-out distillation loss");

    const { config, vocabulary } = await originOf(join(folder, "student"));
    assertEquals([config.model.layers, config.model.width, config.model.heads], [1, 8, 2]);
    assertEquals([config.model.hidden, config.model.dropout], [16, 0]);
    assertEquals(vocabulary, (await originOf(join(folder, "teacher"))).vocabulary);
    const more = await pretrain([...text, "--init", "student", "--steps", "1", "--out", "more"]);
    assertEquals(more.code, 0, more.error);

    const evaluations = await rows("student/eval.jsonl");
    const last = join(folder, "student", "checkpoints", "step-00000008");
    const names = ["model.safetensors", "optimizer.safetensors"];
    const files = (): Promise<readonly Uint8Array[]> =>
      Promise.all(names.map((name) => Deno.readFile(join(last, name))));
    const whole = await files();
    await Deno.remove(last, { recursive: true });
    const resumed = await distill(["--resume", "--out", "student", "--device", "cpu"]);
    assertEquals(resumed.code, 0, resumed.error);
    assertEquals(timeless(await rows("student/metrics.jsonl")), timeless(metrics));
    assertEquals(await rows("student/eval.jsonl"), evaluations);
    assertEquals(await files(), whole);
    const saved = (): Promise<string> => Deno.readTextFile(join(folder, "student", "config.json"));
    const before = await saved();
    const over = await distill(["--resume", "--out", "student", "--steps", "5"]);
    assertEquals(over.code, 0, over.error);
    assertStringIncludes(over.error, "nothing is left to do: 8 steps are taken, more than 5, and");
    assertEquals(await saved(), before);
    assertEquals(await rows("student/eval.jsonl"), evaluations); // not once more
    const longer = await distill(["--resume", "--out", "student", "--steps", "9"]);
    assertEquals(longer.code, 0, longer.error);
    assertEquals(JSON.parse(await saved()), { ...JSON.parse(before), steps: 9 });
    const wrong = await pretrain(["--resume", "--out", "student"]);
    assertEquals(wrong.code, 2);
    assertStringIncludes(wrong.error, "it is a distillation; deno task distill --resume");
  }));

Deno.test("distill refuses in one line what it cannot do, and leaves nothing", () =>
  withTeacher(async ({ folder }, distill) => {
    const asked = (student: string, ...more: readonly string[]) => [
      ...text,
      ...["--teacher", "teacher", "--student", student, "--out", "student", ...more],
    ];
    const one = '{"layers": 1, "width": 8}';
    await Deno.writeTextFile(join(folder, "list.json"), "[1]");
    const cases: readonly (readonly [words: readonly string[], why: string])[] = [
      [["--student", one, ...text], "Cannot distil without --teacher; see --help"],
      [["--teacher", "teacher", "--student", one], "Cannot distil without text: give --data DIR"],
      [
        ["--teacher", "none", "--student", one, ...text],
        "Cannot start from none: there is no such folder",
      ],
      [["--resume", "--out", "teacher"], "Cannot resume teacher: it is no distillation"],
      [asked("none.json"), "Cannot use --student none.json: no such file"],
      [asked("list.json"), "it must be an object"],
      [asked("{"), "Cannot use --student {: it is no JSON"],
      [asked('{"layer": 1}'), "model.layer is unknown; did you mean layers?"],
      [asked('{"width": 12}'), "the teacher's heads are 8 wide, which does not divide width 12"],
      [asked('{"width": 12, "heads": 5}'), "model.heads is 5, it must divide model.width 12"],
      [
        asked(one, "--heads", "3"),
        "Cannot distil with 3 relation heads: they must divide the teacher's width 16; give --heads 1",
      ],
      [asked(one, "--heads", "16"), "they must divide the student's width 8"],
      [
        asked('{"layers": 2, "width": 8, "heads": 1}', "--loss", "tinybert"),
        "Cannot distil with tinybert: the student's heads (1) must equal the teacher's (2)",
      ],
      [
        asked('{"layers": 3}', "--loss", "tinybert"),
        "the student's layers (3) must divide the teacher's (2)",
      ],
      [asked(one, "--layer", "3"), "Cannot distil layer 3: the teacher has 2 layers"],
      [asked(one, "--loss", "minilm,logit"), "did you mean logits?"],
      [
        asked(one, "--loss", "minilm,clicks"),
        "Cannot distil clicks: teacher and student must both",
      ],
      [asked(one, "--loss", "mlm=0"), "mlm counts 0, it must be above 0"],
      [asked(one, "--set", "precision=bf16"), "a student learns in f32"],
    ];
    for (const [words, why] of cases) {
      const { code, out, error } = await distill(words);
      assertEquals([code, out], [2, ""], error);
      assertStringIncludes(error, why);
      assertEquals(error.trimEnd().split("\n").length, 1, error);
    }
    assert(!await exists(join(folder, "student")));
  }));
