/**
 * A process of a run that is not the first: it computes its part of every step, and writes nothing.
 *
 * @module
 */
import { type Device, dispose } from "../../core/mod.ts";
import { parameterCount } from "../../nn/mod.ts";
import type { Group } from "../../dist/mod.ts";
import { createApart } from "./apart.ts";
import type { Renewal } from "./between_steps.ts";
import { clickData } from "./click_task.ts";
import type { PretrainConfig } from "./config.ts";
import { besideOf, hearOrder, hearState, type Together } from "./crew.ts";
import { documentsOf } from "./documents_of.ts";
import { afterRollbacks } from "./guard.ts";
import type { Kept } from "./kept.ts";
import { maskTables } from "./mask_tables.ts";
import { modelSpec } from "./model.ts";
import { hearMemory } from "./rank_memory.ts";
import type { RunCorpus } from "./run_corpus.ts";
import { stageData } from "./stage_data.ts";
import { countedRow, stagesOf } from "./stages.ts";
import type { LearnState } from "./step.ts";
import type { Vocabulary } from "../text/vocabulary.ts";
import { createTeam } from "./team.ts";
import type { Tracer } from "./tracer.ts";
import { initialState, train, type TrainState } from "./train.ts";
import { hearOwn, type Own } from "./workers.ts";

/** What such a process needs. */
export interface FollowOptions {
  readonly config: PretrainConfig;
  readonly corpus: RunCorpus;
  readonly device: Device;
  readonly group: Group;
  readonly skipBad: boolean;
  readonly watch?: Tracer;
  /** Where a run goes on without a process: what has been reached, what to do for newcomers, and who hears of steps. */
  readonly kept?: Kept;
  readonly renew?: Renewal;
  readonly stepped?: () => void;
}

/** Trains with the others until the first process says that it is over. */
export async function follow(
  { config, corpus, device, group, skipBad, watch, kept, renew, stepped }: FollowOptions,
): Promise<void> {
  const { vocabulary } = corpus, beside = besideOf(group);
  const { tables } = await maskTables(config.mask, corpus.train, vocabulary, skipBad);
  const clicks = config.click && await clickData(
    config.click,
    vocabulary,
    () => documentsOf(corpus.train, vocabulary),
    skipBad,
  );
  const stages = stagesOf(config), unmeasured = { evalEvery: 0, checkpointEvery: 0 } as const;
  for (let order = await hearOrder(group); order; order = await hearOrder(group)) {
    const { step, rollbacks } = order, stage = stages[order.stage - 1]!;
    const own = { ...afterRollbacks(stage.config, rollbacks), ...unmeasured };
    const { start, together } = await begun(own, step);
    const keep = ({ step, model, optimizer }: TrainState): void =>
      kept?.keep({ step: stage.offset + step, model, optimizer, rollbacks });
    keep(start);
    const known = { tables, ...clicks && { clickData: clicks } };
    const data = stageData(corpus, { ...stage, config: own }, known);
    const ended = await train(own, start, data, device, {
      metrics: (row) => kept?.log(countedRow(row, stage, stages)),
      evaluation: () => false,
      progress: () => {},
      checkpoint: () => Promise.resolve(),
      stop: () => false,
      stepped(state) {
        keep(state);
        stepped?.();
      },
      ...together,
      ...watch && { trace: watch },
    });
    if (!kept) dispose([ended.model, ended.optimizer]);
  }
  await beside.close();

  /** What the first process gives to go on from, and what steps are taken with. */
  async function begun(own: PretrainConfig, step: number): Promise<Begun> {
    const held = kept?.state ?? await initialState(own, vocabulary.tokens.length, device);
    const { model: like, optimizer } = held;
    if (!own.diloco) {
      const heard = await hearState(group, { model: like, optimizer }, device).catch((error) => {
        if (held !== kept?.state) dispose([like, optimizer]);
        throw error;
      });
      dispose([like, optimizer]);
      const team = createTeam(group, heard.model, { ...own, device, renew });
      await hearMemory(group, team.compressed);
      return { start: { step, ...heard }, together: { team } };
    }
    const { model } = await hearState(group, { model: like }, device);
    dispose(like);
    const fresh: { readonly optimizer: LearnState; readonly own?: Own } = { optimizer };
    const heard = step > 0 ? await hearOwn(group, countOf(own, vocabulary), optimizer) : fresh;
    if (heard !== fresh) dispose(optimizer);
    const start = { model, own: heard.own };
    const apart = await createApart(group, await beside.open(), own, start, device);
    return { start: { step, model, optimizer: heard.optimizer }, together: { apart } };
  }
}

interface Begun {
  readonly start: TrainState;
  readonly together: Together;
}

/** Parameters of a model. */
function countOf({ model, click }: PretrainConfig, { tokens }: Vocabulary): number {
  return parameterCount(modelSpec(model, tokens.length, click !== null));
}
