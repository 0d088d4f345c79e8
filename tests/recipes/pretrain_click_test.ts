/** Clicks beside text: weights of the tasks, batches, exact accumulation, and a run that learns from them. */
import { assert, assertAlmostEquals, assertEquals, assertLess, assertMatch } from "@std/assert";
import { join } from "@std/path";
import {
  type AnyTensor,
  cpu,
  fromArray,
  jit,
  leaves,
  read,
  type Tensor,
  type Tree,
} from "../../core/mod.ts";
import { clickBatch, clickBatches } from "../../recipes/click/click_batches.ts";
import { clickPart, clickWeight } from "../../recipes/click/click_weight.ts";
import { clickLosses, type ClickLossName } from "../../recipes/click/losses.ts";
import type { TokenImpression, TokenText } from "../../recipes/click/tokenized_log.ts";
import { maskTokens, trainBatches } from "../../recipes/data/batches.ts";
import { draws } from "../../recipes/masking/counter_random.ts";
import { MASK_SETTINGS } from "../../recipes/masking/mask_settings.ts";
import {
  type ClickConfig,
  NONE_SIMULATED,
  type PretrainConfig,
  SIMULATED,
} from "../../recipes/pretrain/config.ts";
import { clickInputs, clickStepInputs, stepInputs } from "../../recipes/pretrain/inputs.ts";
import { stepOptions, stepPrograms, type Sums, zeroSums } from "../../recipes/pretrain/step.ts";
import { freshTasks, learnTasks, type TaskState } from "../../recipes/pretrain/task_weights.ts";
import { initialState, optimizerOf } from "../../recipes/pretrain/train.ts";
import { inWorkplace, toyConfig } from "./pretrain_command.ts";
import { timeless } from "./timeless.ts";
import { tinyData, tinyRun } from "./tiny_run.ts";

const { vocabulary, train } = tinyData(24), V = vocabulary.tokens.length;

function text(seed: number, length: number): TokenText {
  const { below } = draws(seed, 9, 0, 0);
  const ids = Array.from({ length }, () => 5 + below(V - 5));
  return { ids, starts: ids.map((_, i) => i % 2 === 0 ? 1 : 0) };
}

/** 11 impressions of up to 5 titles. */
const log: readonly TokenImpression[] = Array.from({ length: 11 }, (_, n) => ({
  query: text(n, 2 + n % 9),
  docs: Array.from({ length: 1 + n % 5 }, (_, d) => ({
    title: text(100 + 10 * n + d, 3 + (n + d) % 20),
    rank: d + 1,
    click: (n + d) % 3 === 0 ? 1 as const : 0 as const,
  })),
}));
const click: ClickConfig = {
  log: "x",
  simulated: NONE_SIMULATED,
  loss: "skip-above",
  docs: 4,
  length: 20,
  batch: 6,
  microBatch: 2,
  mlm: true,
  weights: "uncertainty",
  share: 1,
  clip: 10,
  heldOut: 0.1,
};
const settings = {
  seed: 1,
  I: 6,
  D: 4,
  T: 20,
  most: 10,
  mask: MASK_SETTINGS,
  propensities: [1, 0.5, 0.25, 0.01],
};
const make = clickBatches(log, vocabulary, maskTokens(vocabulary), settings);

Deno.test("rows are [CLS] query [SEP] title [SEP], what is masked is known, and nothing else is there", () => {
  const plain = { ...settings, mask: undefined as never };
  const batch = clickBatch(
    log.slice(0, 6),
    vocabulary,
    maskTokens(vocabulary),
    plain,
    () => draws(0, 0, 0, 0),
  );
  log.slice(0, 6).forEach(({ query, docs }, i) => {
    for (let d = 0; d < 4; d++) {
      const at = (i * 4 + d) * 20, row = [...batch.ids.subarray(at, at + 20)], doc = docs[d];
      assertEquals(batch.shown[i * 4 + d], doc ? 1 : 0);
      if (!doc) continue;
      const q = Math.min(query.ids.length, 8), t = Math.min(doc.title.ids.length, 17 - q);
      const { cls, sep, pad } = vocabulary;
      const line = [cls, ...query.ids.slice(0, q), sep, ...doc.title.ids.slice(0, t), sep];
      assertEquals(row, [...line, ...Array(20 - line.length).fill(pad)]);
      assertEquals(
        [...batch.keep.subarray(at, at + 20)],
        row.map((_, k) => k < line.length ? 1 : 0),
      );
      assertEquals(
        [...batch.segments.subarray(at, at + 20)],
        row.map((_, k) => k > q + 1 && k < line.length ? 1 : 0),
      );
      assertEquals(batch.propensities[i * 4 + d], Math.min(10, 1 / settings.propensities[d]!));
    }
  });
  const masked = make(3), back = masked.ids.slice();
  masked.weights.forEach((w, p) => w && (back[masked.positions[p]!] = masked.labels[p]!));
  assert(masked.weights.some((w) => w === 1));
  assertEquals(make(3), masked, "a function of the step");
  assert(`${make(2).ids}` !== `${masked.ids}`);
  const { sep, cls } = vocabulary;
  for (let r = 0; r < 24; r++) {
    const row = back.subarray(r * 20, r * 20 + 20);
    assertEquals(row[0], cls);
    if (masked.shown[r]) assertEquals(row.filter((id) => id === sep).length, 2);
  }
});

for (const name of Object.keys(clickLosses) as ClickLossName[]) {
  Deno.test(`the weight of the ${name} loss is known before it is computed, and that of parts adds up`, async () => {
    const batch = make(5), inputs = clickInputs(batch);
    const scores = fromArray(new Float32Array(24), [6, 4]) as AnyTensor;
    const { weight } = clickLosses[name](scores, inputs.shown);
    const want = (await read(weight))[0]!;
    assertAlmostEquals(clickWeight(name, batch), want, 1e-4);
    const parts = [[0, 1], [1, 4], [4, 6]] as const;
    const sum = parts.reduce(
      (s, [from, to]) => s + clickWeight(name, clickPart(batch, from, to)),
      0,
    );
    assertAlmostEquals(sum, want, 1e-4);
    assert(want > 0);
  });
}

const pair = (a: number, b: number): Tensor<[2]> => fromArray([a, b], [2]) as AnyTensor;

Deno.test("at losses that do not change, the variance of each task becomes twice its loss", async () => {
  const step = jit(
    (tasks: TaskState) =>
      learnTasks(tasks, pair(3, 0.2), pair(1, 1), fromArray([1], []) as AnyTensor, 0.02),
    { device: cpu() },
  );
  let tasks = freshTasks();
  for (let i = 0; i < 1500; i++) tasks = step(tasks);
  const s = await read(tasks.s);
  assertAlmostEquals(Math.exp(s[0]!), 6, 0.05);
  assertAlmostEquals(Math.exp(s[1]!), 0.4, 0.01);
});

Deno.test("a task that a batch lacks keeps its weight and its moments; a skipped step moves nothing; s stays within 5", async () => {
  const take = (x: number): Tensor<[]> => fromArray([x], []) as AnyTensor;
  const one = learnTasks(freshTasks(), pair(3, 0.2), pair(1, 1), take(1));
  const lacks = learnTasks(one, pair(3, 0), pair(1, 0), take(1));
  const skipped = learnTasks(one, pair(NaN, 0.2), pair(1, 1), take(0));
  for (const name of ["s", "m", "v", "count"] as const) {
    const [a, b, c] = await Promise.all([one, lacks, skipped].map((t) => read(t[name])));
    assert(a![0] !== b![0], name);
    assertEquals(a![1], b![1]);
    assertEquals(a, c);
  }
  let far = freshTasks();
  for (let i = 0; i < 30; i++) far = learnTasks(far, pair(1e9, 0), pair(1, 1), take(1), 1);
  const s = await read(far.s);
  assertEquals([s[0], s[1]], [5, -5]);
});

Deno.test("a step without clicks leaves their weight alone, one without masked text that of the text", async () => {
  const device = cpu(), config: PretrainConfig = { ...tinyRun, click };
  const B = config.data.batch, batch = trainBatches(train, vocabulary, { seed: 1, B })(2, 0, B);
  const shown = clickBatches(log, vocabulary, maskTokens(vocabulary), settings)(2);
  const bare = { ...shown, weights: shown.weights.map(() => 0) };
  const sharesAfter = async (task: "text" | "clicks"): Promise<ArrayLike<number>> => {
    const { model, optimizer } = await initialState(config, V, device);
    const programs = stepPrograms(config.model, optimizerOf(config), stepOptions(config, device));
    const tasks = { s: (optimizer.tasks as TaskState).s }, none = zeroSums(model);
    const sums = task === "text"
      ? programs.accumulate(model, none, stepInputs(batch, 2, 0, batch.total), tasks)
      : programs.accumulateClicks(
        model,
        none,
        clickStepInputs(bare, 2, B, { predictions: 0, weight: clickWeight(click.loss, bare) }),
        tasks,
      );
    return await read((programs.apply(model, optimizer, sums).state.tasks as TaskState).s);
  };
  const [text, clicks] = [await sharesAfter("text"), await sharesAfter("clicks")];
  assert(text[0] !== 0 && text[1] === 0, `${text}`);
  assert(clicks[0] === 0 && clicks[1] !== 0, `${clicks}`);
  device.destroy();
});

Deno.test("any split of text and impressions into micro-batches gives the gradient of the whole batch", async () => {
  const device = cpu();
  const config: PretrainConfig = { ...tinyRun, click, model: { ...tinyRun.model, dropout: 0.2 } };
  const { model, optimizer } = await initialState(config, V, device);
  const programs = stepPrograms(config.model, optimizerOf(config), stepOptions(config, device));
  const B = config.data.batch, batches = trainBatches(train, vocabulary, { seed: 1, B });
  const whole = make(2), weight = clickWeight(click.loss, whole);
  const tasks = { s: pair(0.4, -0.3) };
  const sumsOf = (rows: number, impressions: number): Sums => {
    let sums = zeroSums(model);
    const predictions = batches(2).total + whole.weights.reduce((a, b) => a + b, 0);
    for (let from = 0; from < B; from += rows) {
      const part = batches(2, from, Math.min(B, from + rows));
      sums = programs.accumulate(model, sums, stepInputs(part, 2, from, predictions), tasks);
    }
    for (let from = 0; from < 6; from += impressions) {
      const part = clickPart(whole, from, Math.min(6, from + impressions));
      const inputs = clickStepInputs(part, 2, B + from * 4, { predictions, weight });
      sums = programs.accumulateClicks(model, sums, inputs, tasks);
    }
    return sums;
  };
  const flat = async (sums: Sums): Promise<number[]> =>
    (await Promise.all(leaves(sums as unknown as Tree<AnyTensor>).map((x) => read(x as Tensor))))
      .flatMap((x) => [...x]);
  const [all, parts] = [await flat(sumsOf(B, 6)), await flat(sumsOf(2, 1))];
  const norm = Math.sqrt(all.reduce((sum, x) => sum + x * x, 0));
  const apart = Math.sqrt(all.reduce((sum, x, i) => sum + (x - parts[i]!) ** 2, 0));
  assertLess(apart / norm, 1e-6);
  assert((await read((optimizer.tasks as TaskState).s)).every((x) => x === 0));
  device.destroy();
});

Deno.test("pretrain learns from a click log beside text, says how well, and goes on to the bit", () =>
  inWorkplace(async ({ folder, pretrain, rows }) => {
    const who = ["老师", "学生", "医生", "司机"], where = ["图书馆", "公园", "北京", "海边"];
    const lines = Array.from({ length: 400 }, (_, n) => {
      const { below } = draws(n, 9, 3, 0), query = where[below(4)]!;
      const docs = where.map((place, i) => ({
        title: `${who[below(4)]}在${place}`,
        rank: 1 + (i + n) % 4,
        click: place === query ? 1 : 0,
      }));
      return JSON.stringify({ query, docs });
    });
    await Deno.writeTextFile(join(folder, "log.jsonl"), lines.join("\n"));
    const config = {
      ...toyConfig,
      model: { layers: 1, width: 32, hidden: 64 },
      optimizer: { rate: 0.02 },
      steps: 120,
      evalEvery: 60,
      checkpointEvery: 50,
      logEvery: 20,
      click: {
        ...click,
        log: "log.jsonl",
        simulated: { ...SIMULATED, impressions: 30, bias: 0 },
        loss: "listwise",
        batch: 8,
        microBatch: 4,
        clip: 1,
        heldOut: 0.3,
      },
    };
    await Deno.writeTextFile(join(folder, "click.json"), JSON.stringify(config));
    const words = ["--corpus", "corpus.txt", "--device", "cpu", "--config", "click.json"];
    const { code, error, out } = await pretrain([...words, "--out", "run", "--json"]);
    assertEquals(code, 0, error);
    const summary = JSON.parse(out.trimEnd().split("\n").at(-1)!);
    assertMatch(error, /SIMULATED clicks: 30 impressions .* for training alone/);
    const { auc, queries, simulated } = summary.clicks;
    assert(auc >= 0 && auc <= 1 && queries > 0 && !simulated, JSON.stringify(summary.clicks));
    const metrics = await rows("run/metrics.jsonl"), last = metrics.at(-1)!;
    assertLess(last.click_loss!, metrics[0]!.click_loss!);
    assert(last.mlm_share! !== 1 && last.click_share! !== 1);
    const checkpoints = join(folder, "run", "checkpoints");
    await Deno.remove(join(checkpoints, "step-00000120"), { recursive: true });
    const resumed = await pretrain(["--device", "cpu", "--out", "run", "--resume"]);
    assertEquals(resumed.code, 0, resumed.error);
    assertEquals(timeless(await rows("run/metrics.jsonl")), timeless(metrics));
  }));
