/** Runs that go on with the weights of another run, on other text. */
import { assert, assertEquals, assertLess, assertStringIncludes, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { InputError } from "../../recipes/cli/input_error.ts";
import { refuseOtherVocabulary } from "../../recipes/pretrain/init_from.ts";
import { checkpointPath, checkpointSteps } from "../../recipes/run/checkpoint.ts";
import { bestCheckpoint } from "../../recipes/run/kept_checkpoints.ts";
import { SPECIAL_TOKENS, type Vocabulary, vocabularyOf } from "../../recipes/text/vocabulary.ts";
import { inWorkplace, toyConfig, type Workplace } from "./pretrain_command.ts";

/** The domain's text: no sentence of it is in the general corpus. */
const domain = Array.from({ length: 900 }, (_, i) => {
  const of = (words: string, n: number): string => words.split(" ")[(i * 7 + n * n + i * n) % 5]!;
  return `第${i}号病人${of("头痛 发热 咳嗽 失眠 胃痛", 1)}三天，${
    of("血压 体温 心率 呼吸 脉搏", 2)
  }正常，建议${of("休息 复查 住院 服药 饮水", 3)}，注意${of("保暖 饮食 睡眠 运动 卫生", 4)}。`;
}).join("\n");

/** A first run of 30 steps, and the domain's text. */
async function prepared({ folder, pretrain }: Workplace): Promise<void> {
  await Deno.writeTextFile(join(folder, "domain.txt"), domain);
  const config = { ...toyConfig, steps: 30, evalEvery: 10, checkpointEvery: 10 };
  await Deno.writeTextFile(join(folder, "first.json"), JSON.stringify(config));
  const first = ["--corpus", "corpus.txt", "--device", "cpu", "--config", "first.json"];
  const { code, error } = await pretrain([...first, "--out", "first"]);
  assertEquals(code, 0, error);
}

const went = ["--init", "first", "--corpus", "domain.txt", "--general", "corpus.txt"];

Deno.test("--init goes on with a run's best weights, and says what both texts think of it before and after", () =>
  inWorkplace(async (place) => {
    await prepared(place);
    const { folder, pretrain, rows } = place;
    const { code, out, error } = await pretrain([
      ...went,
      ...["--device", "cpu", "--steps", "60", "--out", "second", "--json"],
    ]);
    assertEquals(code, 0, error);
    const summary = JSON.parse(out.trimEnd().split("\n").at(-1)!);
    const { from, in_domain, general } = summary.adaptation;
    const best = (await bestCheckpoint(join(folder, "first")))!;
    assertEquals(from, checkpointPath("first", best.step));
    // The general corpus holds out what the first run held out.
    assertEquals(general.before, best.mlm_ppl);
    assertLess(in_domain.after, in_domain.before);
    assertEquals(in_domain.after, summary.mlm_ppl);
    const start = (await rows("second/eval.jsonl"))[0]!;
    assertEquals([start.step, start.mlm_ppl, start.general_ppl], [
      0,
      in_domain.before,
      general.before,
    ]);
    const report = await Deno.readTextFile(join(folder, "second", "report.html"));
    assertStringIncludes(report, "perplexity on general text, before and after");
    assertStringIncludes(error, `begun with ${from}: held-out MLM perplexity`);
    const config = JSON.parse(await Deno.readTextFile(join(folder, "second", "config.json")));
    assertEquals([config.init, config.general, config.steps], [from, "corpus.txt", 60]);
    const vocabularies = await Promise.all(
      ["first", "second"].map((run) => Deno.readTextFile(join(folder, run, "vocab.txt"))),
    );
    assertEquals(vocabularies[0], vocabularies[1]);
    // Stopped and resumed it ends the same, and knows what was before.
    const run = join(folder, "second"), final = checkpointPath(run, 60);
    const weights = await Deno.readFile(join(final, "model.safetensors"));
    await Deno.remove(final, { recursive: true });
    assert((await checkpointSteps(run)).length > 0);
    const resumed = await pretrain(["--device", "cpu", "--resume", "--out", "second", "--json"]);
    assertEquals(resumed.code, 0, resumed.error);
    assertEquals(await Deno.readFile(join(final, "model.safetensors")), weights);
    const again = JSON.parse(resumed.out.trimEnd().split("\n").at(-1)!);
    assertEquals(again.adaptation, summary.adaptation);
  }));

Deno.test("--init takes a checkpoint's folder too, and refuses what does not go with it in one line", () =>
  inWorkplace(async (place) => {
    await prepared(place);
    const { folder, pretrain } = place;
    const checkpoint = checkpointPath("first", 30);
    const fine = ["--init", checkpoint, "--corpus", "domain.txt", "--device", "cpu"];
    const { code, out, error } = await pretrain([...fine, "--steps", "2", "--out", "fine"]);
    assertEquals(code, 0, error);
    assertStringIncludes(out, "perplexity on this text, before and after: ");
    assert(!out.includes("general text"), out);
    const other = { ...toyConfig, model: { ...toyConfig.model, layers: 2 } };
    await Deno.writeTextFile(join(folder, "other.json"), JSON.stringify(other));
    await Deno.mkdir(join(folder, "nothing"));
    await Deno.mkdir(join(folder, "unsaved"));
    for (const name of ["config.json", "vocab.txt"]) {
      await Deno.copyFile(join(folder, "first", name), join(folder, "unsaved", name));
    }
    const wrong: readonly (readonly [line: string, message: string])[] = [
      ["--init none", "Cannot start from none: there is no such folder"],
      ["--init nothing", "Cannot start from nothing: it is neither a run's folder"],
      ["--init unsaved", "Cannot start from unsaved: it has no checkpoint; pass another --init"],
      [
        "--init first --config other.json",
        "model.layers is 2 here and 1 there; leave --config out to take that run's",
      ],
      ["--init first --set model.width=32", "model.width is 32 here and 16 there"],
    ];
    for (const [line, message] of wrong) {
      const words = [...line.split(" "), "--corpus", "domain.txt", "--device", "cpu"];
      const { code, error } = await pretrain([...words, "--out", "wrong"]);
      assertEquals(code, 2, error);
      assertStringIncludes(error, message);
      assertEquals(error.trimEnd().split("\n").length, 1, error);
    }
  }));

Deno.test("packed text of another vocabulary than the weights have is refused", () => {
  const of = (...tokens: readonly string[]): Vocabulary =>
    vocabularyOf([...SPECIAL_TOKENS, ...tokens]);
  const origin = { checkpoint: "first", vocabulary: of("一", "二") };
  refuseOtherVocabulary(of("一", "二"), origin, "packed");
  const cases = [
    [of("一", "三"), "the vocabulary of packed differs at token 6 (三, 二 in the run)"],
    [of("一"), "the vocabulary of packed has 6 tokens, the run 7"],
    [of("一", "二", "三"), "the vocabulary of packed has 8 tokens, the run 7"],
  ] as const;
  for (const [other, why] of cases) {
    const refused = (): void => refuseOtherVocabulary(other, origin, "packed");
    const { message } = assertThrows(refused, InputError);
    assertEquals(
      message,
      `Cannot start from first: ${why}; pack it with the run's vocab.txt, or pass its text as --corpus`,
    );
  }
});
