/**
 * Distillation on text: a teacher and a corpus in, a run's folder out that is used as any other.
 *
 * @module
 */
import { join } from "@std/path";
import { type Device, dispose, jit } from "../../core/mod.ts";
import { init, parameterCount } from "../../nn/mod.ts";
import type { OptimizerState } from "../../optim/mod.ts";
import { short } from "../cli/format.ts";
import type { Interrupt } from "../cli/main.ts";
import type { ProgressView } from "../cli/progress.ts";
import { heldOutBatches } from "../data/batches.ts";
import { pack } from "../data/pack.ts";
import { HELD_OUT_MASK } from "../masking/mask_settings.ts";
import { clickData } from "../pretrain/click_task.ts";
import type { PretrainConfig } from "../pretrain/config.ts";
import { documentsOf } from "../pretrain/documents_of.ts";
import { evaluator } from "../pretrain/evaluate.ts";
import { maskTables } from "../pretrain/mask_tables.ts";
import { type Model, modelSpec } from "../pretrain/model.ts";
import type { RunCorpus } from "../pretrain/run_corpus.ts";
import { startTokens } from "../pretrain/token_start.ts";
import { optimizerOf, type TrainData } from "../pretrain/train.ts";
import {
  type Checkpointed,
  checkpointSteps,
  latestCheckpoint,
  saveCheckpoint,
} from "../run/checkpoint.ts";
import { keepCheckpoints } from "../run/kept_checkpoints.ts";
import { nothingLeft } from "../run/nothing_left.ts";
import { writeReport } from "../run/report.ts";
import { openRows, readRows, type Row } from "../run/rows.ts";
import { activeLosses, type DistillConfig, predicts } from "./distill_config.ts";
import { type Teacher, teacherModel } from "./teacher.ts";
import { type Pupil, pupilSpec } from "./text_losses.ts";
import { type DistillState, distillTrain } from "./train.ts";

/** What distillation on text needs. */
export interface DistillTextOptions {
  readonly config: PretrainConfig;
  readonly distill: DistillConfig;
  readonly teacher: Teacher;
  readonly corpus: RunCorpus;
  readonly device: Device;
  /** The run's folder, open for this run. */
  readonly out: string;
  readonly resume: boolean;
  /** Called once all input is read and nothing is written yet. */
  readonly ready?: (hasSteps: boolean) => Promise<void>;
  /** Stop after so long. */
  readonly minutes?: number;
  readonly interrupt: Interrupt;
  readonly view: ProgressView;
  /** Called with every logged row. */
  readonly emit: (row: Row) => void;
}

/** What a distillation reached; the last object of `--json`. Held-out values are null where the configuration does not evaluate. */
export interface DistillSummary {
  readonly steps: number;
  readonly distill_loss: number | null;
  /** Of the student and the teacher, where tokens are predicted. */
  readonly mlm_ppl: number | null;
  readonly teacher_ppl: number | null;
  readonly params: number;
  readonly teacher_params: number;
  readonly elapsed_s: number;
  readonly device: string;
  readonly out: string;
}

/** The state of a student before its first step. */
async function freshState(
  { config, distill, teacher, corpus, device }: DistillTextOptions,
): Promise<DistillState> {
  const V = corpus.vocabulary.tokens.length;
  const spec = pupilSpec(distill, config.model, teacher.config.model, V, config.click !== null);
  const pupil: Pupil = init(config.seed, spec, device);
  const optimizer = jit((p: Pupil) => optimizerOf(config).init(p), { device })(pupil);
  await device.synchronize();
  return { step: 0, pupil, optimizer };
}

/** What a checkpoint keeps beside the model: whoever takes a run sees the model alone. */
type Aside = OptimizerState & Pick<Pupil, "bridge">;

/** A state as a checkpoint keeps it. */
function parted(
  { step, pupil: { model, bridge }, optimizer }: DistillState,
): Checkpointed<Model, Aside> {
  return { step, model, optimizer: { ...optimizer, ...bridge && { bridge } } };
}

/** The state that a run begins with. */
async function firstState(o: DistillTextOptions): Promise<DistillState> {
  const { pupil, ...fresh } = await freshState(o);
  const model = await startTokens(o.config, pupil.model, o.corpus, o.device);
  return { ...fresh, pupil: { ...pupil, model } };
}

/** What a run goes on from; one that died before its first checkpoint begins again. */
async function startState(o: DistillTextOptions): Promise<DistillState> {
  const { out, resume, device, view } = o;
  if (!resume) return await firstState(o);
  if ((await checkpointSteps(out)).length === 0) {
    view.note(`no checkpoint in ${out} yet: the run begins again`);
    return await firstState(o);
  }
  const like = parted(await freshState(o)), found = await latestCheckpoint(out, like, device);
  const { model, optimizer: { bridge, ...optimizer } } = found;
  dispose([like.model, like.optimizer]);
  return { step: found.step, pupil: { model, ...bridge && { bridge } }, optimizer };
}

const numberIn = (row: Row | undefined, name: string): number | null => {
  const value = row?.[name];
  return typeof value === "number" ? value : null;
};

/** Figures of an evaluation in words. */
function evaluationText({ distill_loss, mlm_ppl }: Row): string {
  const loss = `held-out distillation loss ${(distill_loss as number).toFixed(4)}`;
  return mlm_ppl === undefined ? loss : `${loss}, MLM perplexity ${(mlm_ppl as number).toFixed(1)}`;
}

/** Trains, evaluates, and leaves report and checkpoints in the run's folder. */
export async function distillText(
  o: DistillTextOptions,
  began = performance.now(),
): Promise<DistillSummary> {
  const { config, distill, teacher, corpus, device, out, view } = o, { vocabulary } = corpus;
  const { tables, notes } = await maskTables(config.mask, corpus.train, vocabulary, false);
  const clicks = config.click && await clickData(
    config.click,
    vocabulary,
    () => documentsOf(corpus.train, vocabulary),
    false,
  );
  for (const note of [...notes, ...clicks?.notes ?? []]) view.note(note);
  const knows = await teacherModel(teacher, device), start = await startState(o);
  const paramsOf = ({ model, click }: PretrainConfig): number =>
    parameterCount(modelSpec(model, vocabulary.tokens.length, click !== null));
  const params = paramsOf(config), teacherParams = paramsOf(teacher.config);
  view.note(
    `${config.name}: ${short(params)} parameters learn ${activeLosses(distill).join(", ")} from ${
      short(teacherParams)
    } of ${distill.teacher}, on ${device.description}`,
  );
  const over = o.resume ? nothingLeft(start.step, config.steps, config.evalEvery > 0) : undefined;
  if (over !== undefined) view.note(over);
  await o.ready?.(start.step < config.steps);
  const limit = o.minutes === undefined ? Infinity : began + o.minutes * 60_000;
  const data: TrainData = {
    vocabulary,
    train: pack(corpus.train, vocabulary, config.data.length),
    heldOut: pack(corpus.heldOut, vocabulary, config.data.length),
    ...tables && { tables },
    ...clicks && { clickData: clicks },
  };
  using metrics = await openRows(join(out, "metrics.jsonl"), start.step);
  using evaluations = await openRows(join(out, "eval.jsonl"), start.step);
  const known = [...await readRows(join(out, "eval.jsonl"))];
  const keep = (): Promise<void> =>
    keepCheckpoints(out, { newest: config.keepCheckpoints, evaluations: known, good: 0 });
  let shown: string[] = [];
  const lesson = { config, distill, teacher: teacher.config, knows };
  const ended = await distillTrain(lesson, start, data, device, {
    metrics(row) {
      metrics.append(row);
      o.emit(row);
    },
    evaluated: known.at(-1)?.step,
    evaluation(row) {
      evaluations.append(row);
      known.push(row);
      o.emit(row);
      view.note(`step ${row.step}: ${evaluationText(row)}`);
    },
    progress(step, row) {
      if (row) {
        const rate = short(row.tokens_per_s as number);
        shown = [`loss ${(row.loss as number).toFixed(4)}`, `${rate} tokens/s`];
      }
      view.show({ label: "distil", done: step, total: config.steps, figures: shown });
    },
    async checkpoint(state) {
      await saveCheckpoint(out, parted(state));
      await keep();
    },
    stop: () => o.interrupt.requested || performance.now() >= limit,
  });
  if ((await checkpointSteps(out)).length > 0) await keep(); // the last evaluation comes after the last checkpoint
  const teacherPpl = config.evalEvery > 0 && predicts(distill) && teacher.hasHead
    ? await perplexityOf(knows, teacher.config, config, data, device)
    : null;
  const last = known.findLast(({ step }) => step === ended.step);
  const summary: DistillSummary = {
    steps: ended.step,
    distill_loss: numberIn(last, "distill_loss"),
    mlm_ppl: numberIn(last, "mlm_ppl"),
    teacher_ppl: teacherPpl,
    params,
    teacher_params: teacherParams,
    elapsed_s: (performance.now() - began) / 1000,
    device: device.description,
    out,
  };
  dispose([knows, ended.pupil, ended.optimizer]);
  await report(o, summary);
  return summary;
}

/** What a teacher reaches on the very places that the student is asked for. */
async function perplexityOf(
  model: Model,
  { model: sizes }: PretrainConfig,
  { data: { microBatch }, evalSequences: limit }: PretrainConfig,
  { heldOut, vocabulary }: TrainData,
  device: Device,
): Promise<number> {
  const batches = heldOutBatches(heldOut, vocabulary, microBatch, { mask: HELD_OUT_MASK, limit });
  return (await evaluator(sizes, device)(model, batches)).perplexity;
}

async function report(
  { config, distill, corpus, out, device }: DistillTextOptions,
  { distill_loss, mlm_ppl, teacher_ppl, params, teacher_params, steps }: DistillSummary,
): Promise<void> {
  const figure = (name: string, value: number | null, digits: number) =>
    value === null ? [] : [[name, value.toFixed(digits)] as const];
  await writeReport(out, {
    title: config.name,
    subtitle:
      `distilled from ${distill.teacher} on ${corpus.report.corpus}, on ${device.description}`,
    figures: [
      ...figure("held-out distillation loss", distill_loss, 4),
      ...figure("held-out MLM perplexity", mlm_ppl, 1),
      ...figure("the teacher's", teacher_ppl, 1),
      ["parameters", short(params)],
      ["the teacher's", short(teacher_params)],
      ["steps", String(steps)],
    ],
    metrics: await readRows(join(out, "metrics.jsonl")),
    evaluations: await readRows(join(out, "eval.jsonl")),
    tables: { Distillation: distill, Configuration: config, Corpus: corpus.report },
    examples: [],
  });
}

/** What a person reads at the end. */
export function closingLines(
  { steps, elapsed_s, mlm_ppl, teacher_ppl, out }: DistillSummary,
): readonly string[] {
  return [
    ...mlm_ppl !== null && teacher_ppl !== null
      ? [`held-out MLM perplexity ${mlm_ppl.toFixed(1)}, the teacher's ${teacher_ppl.toFixed(1)}`]
      : [],
    `${steps} steps in ${elapsed_s.toFixed(0)} s; see ${join(out, "report.html")}`,
  ];
}
