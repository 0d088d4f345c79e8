/** A student learns from a teacher, in this process. */
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertGreater,
  assertLess,
  assertRejects,
} from "@std/assert";
import { leaves, paths, read, type Tensor } from "../../core/mod.ts";
import { openDevice } from "../../core/device/open.ts";
import { init } from "../../nn/mod.ts";
import { InputError } from "../../recipes/cli/input_error.ts";
import type { DistillConfig } from "../../recipes/distill/distill_config.ts";
import { type DistillState, distillTrain, type Lesson } from "../../recipes/distill/train.ts";
import { studentConfig } from "../../recipes/distill/student_config.ts";
import { type Pupil, pupilSpec } from "../../recipes/distill/text_losses.ts";
import { clickData } from "../../recipes/pretrain/click_task.ts";
import { type ClickConfig, type PretrainConfig, SIMULATED } from "../../recipes/pretrain/config.ts";
import { documentsOf } from "../../recipes/pretrain/documents_of.ts";
import { modelSpec } from "../../recipes/pretrain/model.ts";
import { optimizerOf, type TrainData } from "../../recipes/pretrain/train.ts";
import type { Row } from "../../recipes/run/rows.ts";
import { tinyCorpus, tinyData, tinyRun } from "./tiny_run.ts";

const device = await openDevice("cpu"), text = tinyData(24), V = text.vocabulary.tokens.length;
const teacher: PretrainConfig = { ...tinyRun, model: { ...tinyRun.model, layers: 2 } };
/** A teacher that was drawn widely: what it knows is nothing, but it knows it well. */
const knows = init(3, modelSpec({ ...teacher.model, std: 0.3 }, V), device);
const config = await studentConfig(
  teacher,
  '{"layers": 1, "width": 8, "scheme": "t5"}',
  { set: ["evalEvery=60", "logEvery=5", "evalSequences=12", "optimizer.rate=0.03"], steps: 60 },
);

function distill(losses: Partial<DistillConfig["losses"]>): DistillConfig {
  const none = { minilm: 0, tinybert: 0, logits: 0, mlm: 0, clicks: 0 };
  return {
    ...{ teacher: "t", sha256: "0", layer: 2, heads: 2, temperature: 2 },
    losses: { ...none, ...losses },
  };
}

function begin(own: PretrainConfig, { losses }: DistillConfig): DistillState {
  const spec = pupilSpec({ losses }, own.model, teacher.model, V, own.click !== null);
  const pupil: Pupil = init(7, spec, device);
  return { step: 0, pupil, optimizer: optimizerOf(own).init(pupil) };
}

interface Found {
  readonly rows: readonly Row[];
  readonly evaluations: readonly Row[];
  readonly pupil: Pupil;
}

async function learn(
  lesson: Partial<Lesson> & Pick<Lesson, "distill">,
  data: TrainData = text,
): Promise<Found> {
  const rows: Row[] = [], evaluations: Row[] = [], own = lesson.config ?? config;
  const { pupil } = await distillTrain(
    { config: own, teacher, knows, ...lesson },
    begin(own, lesson.distill),
    data,
    device,
    {
      metrics: (row) => rows.push(row),
      evaluation: (row) => evaluations.push(row),
      progress: () => {},
      checkpoint: () => Promise.resolve(),
      stop: () => false,
    },
  );
  return { rows, evaluations, pupil };
}

const valuesOf = async (tree: Pupil): Promise<ReadonlyMap<string, readonly number[]>> =>
  new Map(
    await Promise.all(
      paths(tree as never).map(async ([path, leaf]) =>
        [path, [...await read(leaf as Tensor)]] as const
      ),
    ),
  );

Deno.test("a student of another width and position scheme learns its teacher's relations, and nothing else of it moves", async () => {
  const own = distill({ minilm: 1 }), before = await valuesOf(begin(config, own).pupil);
  const { rows, evaluations, pupil } = await learn({ distill: own });
  const [first, last] = [rows[0]!, rows.at(-1)!] as const;
  assertLess(last.loss as number, 0.9 * (first.loss as number));
  assertEquals(last.loss, last.minilm);
  assertEquals(evaluations.map(({ step }) => step), [60]);
  assertGreater(evaluations[0]!.distill_loss as number, 0);
  assertEquals(evaluations[0]!.mlm_ppl, undefined);
  const after = await valuesOf(pupil);
  const moved = [...after.keys()].filter((path) => `${after.get(path)}` !== `${before.get(path)}`);
  assert(moved.includes("model.encoder.embeddings.tokens"));
  assert(moved.includes("model.encoder.layers.0.attention.wq"));
  // No loss sees what the last layer makes of its values: decay must not shrink it.
  const unseen = /attention\.(wo|bo)|feedForward|head\.|encoder\.norm/;
  assertEquals(moved.filter((path) => unseen.test(path)), []);
});

Deno.test("a student learns the states and scores of its teacher's layers over a bridge that is learnt with it", async () => {
  const own = distill({ tinybert: 1 }), sized = { ...config, model: { ...config.model, heads: 2 } };
  const before = await valuesOf(begin(sized, own).pupil);
  const { rows, pupil } = await learn({ config: sized, distill: own });
  assertLess(rows.at(-1)!.loss as number, 0.9 * (rows[0]!.loss as number));
  const after = await valuesOf(pupil);
  const moved = [...after.keys()].filter((path) => `${after.get(path)}` !== `${before.get(path)}`);
  for (const path of ["bridge.embeddings", "bridge.layers", "model.encoder.shared.bias"]) {
    assert(moved.includes(path), path);
  }
});

Deno.test("a student's heads are as wide as its teacher's, or as many where their scores are compared", async () => {
  assertEquals([config.model.heads, config.model.hidden], [1, 16]);
  const many = await studentConfig(teacher, '{"width": 8}', { set: [], sameHeads: true });
  assertEquals(many.model.heads, 2);
});

Deno.test("a student learns by one process, however many its teacher had", async () => {
  const many = [{ shards: 4 }, { wire: "1-bit-lamb" }, {
    optimizer: { ...teacher.optimizer, sharded: true },
  }] as const;
  for (const own of many) {
    const { shards, wire, optimizer } = await studentConfig(
      { ...teacher, ...own },
      '{"layers": 1}',
      { set: [] },
    );
    assertEquals([shards, wire, optimizer], [0, "f32", teacher.optimizer]);
  }
  const asked = [
    ["shards=4", "Cannot distil with shards 4: a student learns by one process; leave it out"],
    ["wire=bf16", 'Cannot distil with wire "bf16": a student learns by one process'],
    ["optimizer.sharded=true", "Cannot distil with optimizer.sharded: a student learns by one"],
  ] as const;
  for (const [change, message] of asked) {
    const set = [change];
    await assertRejects(
      () => studentConfig(teacher, '{"layers": 1}', { set }),
      InputError,
      message,
    );
  }
});

Deno.test("a student learns what its teacher predicts, together with the other losses", async () => {
  const { rows, evaluations } = await learn({
    distill: distill({ logits: 1, minilm: 2, mlm: 0.5 }),
  });
  const [first, last] = [rows[0]!, rows.at(-1)!] as const;
  assertLess(last.logits as number, first.logits as number);
  assertAlmostEquals(
    last.loss as number,
    (last.logits as number) + 2 * (last.minilm as number) + 0.5 * (last.mlm as number),
    1e-5,
  );
  assertGreater(evaluations[0]!.mlm_ppl as number, 1);
});

Deno.test("micro-batches add up to the whole batch, dropout and all", async () => {
  const one = { ...config, steps: 1, evalEvery: 0, logEvery: 1 };
  const dropped = { ...one, model: { ...one.model, dropout: 0.1 } };
  const both = { distill: distill({ minilm: 1, logits: 1 }) };
  const sized = (microBatch: number): Promise<Found> =>
    learn({ ...both, config: { ...dropped, data: { ...config.data, microBatch } } });
  const [whole, parts] = [await sized(8), await sized(2)];
  for (const name of ["loss", "minilm", "logits", "grad_norm"]) {
    const [a, b] = [whole.rows[0]![name] as number, parts.rows[0]![name] as number];
    assertAlmostEquals(a, b, 1e-5 * Math.abs(a));
  }
  assertEquals(leaves(whole.pupil as never).length, leaves(parts.pupil as never).length);
});

const click: ClickConfig = {
  log: "simulated",
  simulated: { ...SIMULATED, impressions: 300 },
  ...{ loss: "pointwise", docs: 3, length: 20, batch: 4, microBatch: 4, mlm: true },
  ...{ weights: "uncertainty", share: 1, clip: 1, heldOut: 0.2 },
};

Deno.test("a student learns pairs too, and how well its teacher finds that they fit; in any micro-batches", async () => {
  const { train, vocabulary } = tinyCorpus();
  const documents = () => documentsOf(train, vocabulary);
  const data = { ...text, clickData: await clickData(click, vocabulary, documents, false) };
  const matching = { ...teacher, click, model: { ...teacher.model, segments: 2 } };
  const known = init(3, modelSpec({ ...matching.model, std: 0.3 }, V, true), device);
  const set = ["evalEvery=60", "evalSequences=12", "optimizer.rate=0.03"];
  const own = await studentConfig(matching, '{"layers": 1}', { set, steps: 60 });
  assertEquals(own.click, click);
  const lesson = { distill: distill({ minilm: 1, clicks: 2 }), teacher: matching, knows: known };
  const { rows, evaluations, pupil } = await learn({ ...lesson, config: own }, data);
  const [first, last] = [rows[0]!, rows.at(-1)!] as const;
  assertLess(last.clicks as number, 0.9 * (first.clicks as number));
  assertLess(last.minilm as number, first.minilm as number);
  const sum = (last.minilm as number) + 2 * (last.clicks as number);
  assertAlmostEquals(last.loss as number, sum, 1e-5);
  const { auc, clicks, minilm, distill_loss } = evaluations[0]!;
  assertEquals([clicks, minilm], [undefined, distill_loss]);
  assert(auc as number > 0 && auc as number < 1);
  assert(pupil.model.click);
  const one = { ...own, steps: 1, evalEvery: 0, logEvery: 1 };
  const parts = {
    ...one,
    data: { ...one.data, microBatch: 2 },
    click: { ...click, microBatch: 1 },
  };
  const [a, b] = [
    await learn({ ...lesson, config: one }, data),
    await learn({ ...lesson, config: parts }, data),
  ];
  for (const name of ["loss", "minilm", "clicks", "grad_norm"]) {
    const [x, y] = [a.rows[0]![name] as number, b.rows[0]![name] as number];
    assertAlmostEquals(x, y, 1e-5 * Math.abs(x));
  }
});
