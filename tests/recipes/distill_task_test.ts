/** `deno task distill --task`, as a user runs it, and its cache of what a teacher answers. */
import { assert, assertEquals, assertGreater, assertStringIncludes } from "@std/assert";
import { exists } from "@std/fs";
import { join } from "@std/path";
import { openDevice } from "../../core/device/open.ts";
import { taskData } from "../../recipes/clue/run_task.ts";
import { savedTask } from "../../recipes/clue/saved_task.ts";
import { startOf } from "../../recipes/clue/task_model.ts";
import { tasks } from "../../recipes/clue/tasks.ts";
import type { Unit } from "../../recipes/clue/unit.ts";
import { answersOf } from "../../recipes/distill/compare_tasks.ts";
import { distillTask } from "../../recipes/distill/distill_task.ts";
import { taughtUnits } from "../../recipes/distill/taught_units.ts";
import { outputsPath, teacherOutputs } from "../../recipes/distill/teacher_outputs.ts";
import { inFolder } from "../in_folder.ts";
import { inWorkplace, type Workplace } from "./pretrain_command.ts";
import { type Ended, runRecipe } from "./recipe_command.ts";

/** Pairs whose class a character of the title gives away. */
function pairs(count: number): readonly string[] {
  const signs = "天家学", filler = "春夏秋冬雨晚早园山海";
  return Array.from({ length: count }, (_, i) => {
    const draw = (n: number): string => filler[(i * n + n * n) % filler.length]!;
    const label = (i * 7 + (i >> 3)) % 3, title = `${draw(3)}${signs[label]!}${draw(5)}`;
    return JSON.stringify({ id: i, query: `${draw(2)}${i}`, title, label: `${label}` });
  });
}

const text = ["--corpus", "corpus.txt", "--device", "cpu"];
const task = ["--task", "qbqtc", "--data", "pairs", "--device", "cpu"];
const learning = ["--epochs", "12", "--batch", "16", "--dropout", "0"];

/**
 * A teacher of text, one of pairs, and a smaller student of text. All of it runs without a BLAS, whose sums depend on how many threads
 * were free: two runs of the same work are compared to the bit here.
 */
async function withTeachers(
  test: (place: Workplace, distill: (words: readonly string[]) => Promise<Ended>) => Promise<void>,
): Promise<void> {
  await inWorkplace(async (place) => {
    const { folder } = place;
    await Deno.mkdir(join(folder, "pairs"));
    const write = (name: string, lines: readonly string[]): Promise<void> =>
      Deno.writeTextFile(join(folder, "pairs", `${name}.json`), lines.join("\n") + "\n");
    await write("train", pairs(300));
    await write("dev", pairs(400).slice(300));
    const run = async (recipe: string, words: readonly string[]): Promise<void> => {
      const { code, error } = await runRecipe(recipe, folder, words, { ffi: false });
      assertEquals(code, 0, error);
    };
    await run("pretrain", [...text, "--config", "toy.json", "--out", "teacher"]);
    await run("clue", [
      ...task,
      ...learning,
      "--rate",
      "0.005",
      "--model",
      "teacher",
      "--save",
      "knows",
    ]);
    const student = ["--student", '{"width": 8, "heads": 2}', "--out", "student"];
    await run("distill", [...text, "--teacher", "teacher", ...student]);
    await test(place, (words) => runRecipe("distill", folder, words, { ffi: false }));
  });
}

Deno.test("a student learns a task from its teacher, which answers once, and is put beside it", () =>
  withTeachers(async ({ folder }, distill) => {
    const asked = [...task, "--teacher", "knows"];
    const words = [...asked, "--student", "student", ...learning, "--rate", "0.02", "--json"];
    const first = await distill([...words, "--out", "learnt"]);
    assertEquals(first.code, 0, first.error);
    const rows = first.out.trimEnd().split("\n").map((line) => JSON.parse(line));
    assertEquals(rows.map(({ metric }) => metric), ["macro_f1", "accuracy", undefined]);
    for (const { split, n, teacher, student, kept } of rows.slice(0, 2)) {
      assertEquals([split, n], ["dev", 100]);
      assertEquals(kept, student / teacher);
      assertGreater(kept, 0.95, first.out);
    }
    const { times, teacher, student } = rows[2];
    for (const value of [times, teacher, student]) assert(value > 0, first.out);

    const cache = join(folder, ".cache", "distill"), files = () => [...Deno.readDirSync(cache)];
    assertEquals(files().length, 1);
    const again = await distill([...words, "--out", "again"]);
    assertEquals(again.code, 0, again.error);
    assertStringIncludes(again.error, "the teacher's answers to 300 units are in");
    // A student of what is kept is the student of what was answered.
    assertEquals(
      again.out.split("\n").slice(0, 2),
      first.out.split("\n").slice(0, 2),
      `${first.error}\n${again.error}`,
    );
    assertEquals(files().length, 1);
    const { config } = await savedTask(join(folder, "learnt"));
    assertEquals([config.task, config.model.width, config.texts], ["qbqtc", 8, 2]);
    const beside = await distill([...asked, "--student", "learnt", "--compare"]);
    assertEquals(beside.code, 0, beside.error);
    const [score] = rows;
    assertStringIncludes(
      beside.out,
      `qbqtc dev macro_f1: ${score.student.toFixed(2)}, the teacher's ${score.teacher.toFixed(2)}`,
    );
    assertStringIncludes(beside.out, "times as fast");

    const other = join(folder, "other", "vocab.txt");
    const copy = async (from: string, to: string): Promise<void> => {
      await Deno.mkdir(to, { recursive: true });
      for await (const { name, isFile } of Deno.readDir(from)) {
        if (isFile) await Deno.copyFile(join(from, name), join(to, name));
        else await copy(join(from, name), join(to, name));
      }
    };
    await copy(join(folder, "student"), join(folder, "other"));
    const tokens = (await Deno.readTextFile(other)).trimEnd().split("\n");
    await Deno.writeTextFile(other, [...tokens.slice(0, -1), "龘"].join("\n") + "\n");
    const full = ["--student", "student", "--out", "x"];
    const cases: readonly (readonly [words: readonly string[], why: string])[] = [
      [[...asked, "--student", "other", "--out", "x"], "their vocabularies differ"],
      [[...asked, "--student", "none", "--out", "x"], "Cannot start from none"],
      [[...task, "--teacher", "none", ...full], "Cannot start from none"],
      [[...asked, "--student", "student"], "Cannot distil without --out"],
      [[...asked, ...full, "--loss", "mlm"], "Cannot distil a task with --loss: it is for text"],
      [[...asked, ...full, "--compare"], "Cannot distil with --compare and --out"],
      [
        [...text, "--teacher", "teacher", ...full, "--alpha", "1"],
        "Cannot distil on text with --alpha",
      ],
      [
        ["--task", "lcqmc", ...asked.slice(2), ...full],
        "Cannot distil lcqmc from knows: it has learnt qbqtc",
      ],
      [
        ["--task", "cmrc2018", ...asked.slice(2), ...full],
        "Cannot distil cmrc2018: a teacher's answers",
      ],
      [[...asked, "--student", "student", "--out", "learnt"], "Cannot start a run in learnt"],
    ];
    for (const [words, why] of cases) {
      const { code, out, error } = await distill(words);
      assertEquals([code, out], [2, ""], error);
      assertStringIncludes(error, why);
      assertEquals(error.trimEnd().split("\n").length, 1, error);
    }
    assert(!await exists(join(folder, "x")));

    const device = await openDevice("cpu"), saved = await savedTask(join(folder, "knows"));
    const units = [{ rows: [{ ids: [2, 5, 3], segments: [0, 0, 0] }], target: [] }];
    const [answer] = await answersOf(saved, units, device);
    assertEquals(answer!.length, 3);

    const start = await startOf(join(folder, "student"), false), qbqtc = tasks.qbqtc!;
    const of = { task: qbqtc, folder: join(folder, "pairs"), start, length: 64 };
    const data = await taskData(of), { train, dev } = data;
    let answered = 0;
    const hidden = {
      ...dev,
      labelled: false,
      get units() {
        answered++;
        return dev.units;
      },
    };
    const found = await distillTask({
      ...{
        task: qbqtc,
        teacher: { saved, path: join(folder, "knows") },
        student: start,
        length: 64,
      },
      data: { train, dev, tests: [hidden] },
      config: { epochs: 1, batch: 64, rate: 1e-3, warmup: 0, decay: 0, dropout: 0, seed: 1 },
      soft: { alpha: 0.5, temperature: 1 },
      ...{ device, out: join(folder, "third"), cache },
      ...{ interrupt: { requested: false } },
      view: { show: () => {}, note: () => {}, [Symbol.dispose]: () => {} },
    });
    assertEquals(found!.scores.map(({ split }) => split), ["dev", "dev"]);
    assertEquals(answered, 0, "Nobody asks what a student answers to a test without labels");
  }));

Deno.test("a unit with a teacher's answer makes its rows when they are asked for", () => {
  const made = [0, 0], answers = [Float32Array.of(1), Float32Array.of(2)];
  const units = made.map((_, n): Unit => ({
    get rows() {
      made[n]!++;
      return [{ ids: [n], segments: [0] }];
    },
    target: [n],
  }));
  const taught = taughtUnits(units, answers);
  assertEquals(made, [0, 0]);
  assertEquals(taught[1]!.rows, [{ ids: [1], segments: [0] }]);
  assertEquals(taught.map(({ target, soft }) => [target, soft]), [[[0], answers[0]], [
    [1],
    answers[1],
  ]]);
  assertEquals(made, [0, 1]);
});

Deno.test("a teacher's answers are kept by all that they depend on; a broken file is made again, and said so", () =>
  inFolder(async (folder) => {
    const units = [1, 2].map((id) => ({ rows: [{ ids: [id], segments: [0] }], target: [0] }));
    const of = { sha256: "a", settings: { width: 8 }, device: "cpu" } as const;
    const answers = [Float32Array.of(1, 2.5), Float32Array.of(-3, 1e-9)], notes: string[] = [];
    let asked = 0;
    const ask = () =>
      teacherOutputs(
        folder,
        of,
        units,
        () => Promise.resolve((asked++, answers)),
        (line) => notes.push(line),
      );
    assertEquals(await ask(), answers);
    assertEquals(await ask(), answers);
    assertEquals([asked, notes.length], [1, 1]);
    const path = outputsPath(folder, of, units);
    const others = [
      outputsPath(folder, { ...of, sha256: "b" }, units),
      outputsPath(folder, { ...of, settings: { width: 9 } }, units),
      outputsPath(folder, { ...of, device: "webgpu" }, units),
      outputsPath(folder, of, units.toReversed()),
    ];
    assertEquals(new Set([path, ...others]).size, 5);
    await Deno.writeTextFile(path, "no such thing");
    assertEquals(await ask(), answers);
    assertEquals(asked, 2);
    assertStringIncludes(notes[1]!, "is not used");
  }));
