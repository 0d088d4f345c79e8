/**
 * A model learns, and the epoch that is the best on a dev split answers.
 *
 * @module
 */
import { type Device, dispose } from "../../../core/mod.ts";
import type { Interrupt } from "../../cli/main.ts";
import type { ProgressView } from "../../cli/progress.ts";
import { answeredAtOnce, answerer } from "../answer.ts";
import { fineTune } from "../fine_tune.ts";
import type { BestEpoch } from "../saved_task.ts";
import { mainScore, scoreText } from "../scores.ts";
import type { Prepared, Scores, Task, Tuned } from "../task.ts";
import type { Start, TaskModel } from "../task_model.ts";
import type { Unit } from "../unit.ts";
import { bestEpochs } from "./average.ts";
import { balancedWeights } from "./class_weights.ts";
import type { TaskConfig } from "./settings.ts";

/** What it takes to learn. */
export interface LearnOptions {
  readonly task: Pick<Task, "name" | "head">;
  readonly start: Start;
  readonly device: Device;
  readonly config: TaskConfig;
  readonly interrupt: Interrupt;
  readonly view: ProgressView;
  /** What notes and progress begin with; the task and the seed. */
  readonly label?: string;
  /** What is kept of the models: answers, or probabilities that those of other models may be added to. */
  readonly wanted?: "answers" | "probabilities";
  /** Called with the dev scores of every epoch. */
  readonly judged?: (epoch: number, dev: Scores) => void;
  /** Called with every epoch that is the best so far, and with a mean of epochs that is better still. */
  readonly keep?: (best: BestEpoch) => Promise<void>;
}

/** What is learnt from, judged on and answered. */
export interface LearnData {
  readonly train: Prepared;
  readonly dev: Prepared;
  readonly tests: readonly Prepared[];
}

/** What a model says of units, one after another. */
export type Outputs = readonly Float32Array[];

/** What the dev split says of a model. */
interface Judged {
  readonly dev: Scores;
  readonly tuned?: Tuned;
  /** Of the dev split. */
  readonly outputs: Outputs;
}

/** The epoch that was the best. */
export interface Best extends Judged {
  readonly epoch: number;
  /** The epochs whose mean was better still. */
  readonly averaged?: readonly number[];
  /** Outputs for every test. */
  readonly tests: readonly Outputs[];
}

/** Learns with one seed; undefined where it was interrupted before the first epoch was over. */
export async function bestEpoch(
  { task: { name, head }, start, device, config, interrupt, view, ...rest }: LearnOptions,
  { train, dev, tests }: LearnData,
): Promise<Best | undefined> {
  const { options, vocabulary: { pad } } = start,
    { seed, patience = Infinity, average = 1 } = config;
  const { keep, label = `${name}, seed ${seed}`, wanted = "answers" } = rest;
  const answers = answerer(head, options, answeredAtOnce(head), pad, device, wanted);
  const weights = config.classWeights === "balanced" ? balancedWeights(train.units) : [];
  let best: Best | undefined, stale = 0;
  const kept = bestEpochs<TaskModel>(average);
  let steps = { done: 0, total: 0 };
  const show = (figures: readonly string[]): void => view.show({ label, ...steps, figures });
  const toldAnswers = (model: TaskModel, units: readonly Unit[], what: string): Promise<Outputs> =>
    answers(model, units, (done) => show([`${what} ${done}/${units.length}`]));
  const judged = async (model: TaskModel): Promise<Judged> => {
    const outputs = await toldAnswers(model, dev.units, "dev");
    const said = wanted === "answers" ? outputs : outputs.map(head.decide);
    const tuned = dev.tune(said);
    return { dev: dev.judge(said, tuned), outputs, ...tuned && { tuned } };
  };
  const answered = async (model: TaskModel): Promise<readonly Outputs[]> => {
    const outputs: Outputs[] = [];
    for (const { units } of tests) outputs.push(await toldAnswers(model, units, "test"));
    return outputs;
  };
  const model = await fineTune(
    await start.begin(head, seed, device),
    { head, options, units: train.units, weights, pad, device },
    config,
    {
      progress(done, total, loss) {
        steps = { done, total };
        show(Number.isNaN(loss) ? [] : [`loss ${loss.toFixed(3)}`]);
      },
      stop: () => interrupt.requested || stale >= patience,
      async epoch(epoch, model) {
        const found = await judged(model), score = mainScore(found.dev);
        view.note(`${label}, epoch ${epoch}: dev ${scoreText(found.dev)}`);
        rest.judged?.(epoch, found.dev);
        await kept.offer(epoch, score, model);
        if (best && mainScore(best.dev) >= score) {
          stale++;
          if (stale === patience && epoch < config.epochs) {
            view.note(`${label} stops: no better dev score than that of epoch ${best.epoch}`);
          }
          return;
        }
        stale = 0;
        best = { ...found, epoch, tests: await answered(model) };
        await keep?.({ ...best, model });
      },
    },
  );
  const mean = best && !interrupt.requested ? await kept.mean(model, device) : undefined;
  if (best && mean) {
    const { epoch } = best, averaged = kept.epochs(), found = await judged(mean);
    const better = mainScore(found.dev) > mainScore(best.dev);
    view.note(
      `${label}, mean of epochs ${averaged.join(", ")}: dev ${scoreText(found.dev)}; ${
        better ? "it answers" : `epoch ${epoch} answers, which is no worse`
      }`,
    );
    if (better) {
      best = { ...found, epoch, averaged, tests: await answered(mean) };
      await keep?.({ ...best, model: mean });
    }
    dispose(mean);
  }
  dispose(model);
  return best;
}
