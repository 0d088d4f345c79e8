/**
 * A process of a run that is not the first: it computes its part of every step, and writes nothing.
 *
 * @module
 */
import { type Device, dispose } from "../../core/mod.ts";
import type { Group } from "../../dist/mod.ts";
import { clickData } from "./click_task.ts";
import type { PretrainConfig } from "./config.ts";
import { hearOrder, hearState } from "./crew.ts";
import { documentsOf } from "./documents_of.ts";
import { afterRollbacks } from "./guard.ts";
import type { Kept } from "./kept.ts";
import { maskTables } from "./mask_tables.ts";
import { hearMemory } from "./rank_memory.ts";
import type { RunCorpus } from "./run_corpus.ts";
import { stageData } from "./stage_data.ts";
import { stagesOf } from "./stages.ts";
import { createTeam, type Renewal } from "./team.ts";
import { initialState, train, type TrainState } from "./train.ts";

/** What such a process needs. */
export interface FollowOptions {
  readonly config: PretrainConfig;
  readonly corpus: RunCorpus;
  readonly device: Device;
  readonly group: Group;
  readonly skipBad: boolean;
  /** Where a run goes on without a process: what has been reached, what to do for newcomers, and who hears of steps. */
  readonly kept?: Kept;
  readonly renew?: Renewal;
  readonly stepped?: () => void;
}

/** Trains with the others until the first process says that it is over. */
export async function follow(
  { config, corpus, device, group, skipBad, kept, renew, stepped }: FollowOptions,
): Promise<void> {
  const { vocabulary } = corpus, { shards, wire, compression } = config;
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
    const like = kept?.state ?? await initialState(own, vocabulary.tokens.length, device);
    const heard = await hearState(group, like, device).catch((error) => {
      if (like !== kept?.state) dispose([like.model, like.optimizer]);
      throw error;
    });
    dispose([like.model, like.optimizer]);
    const keep = ({ step, model, optimizer }: TrainState): void =>
      kept?.keep({ step: stage.offset + step, model, optimizer, rollbacks });
    keep({ step, ...heard });
    const known = { tables, ...clicks && { clickData: clicks } };
    const data = stageData(corpus, { ...stage, config: own }, known);
    const team = createTeam(group, heard.model, { shards, wire, compression, device, renew });
    await hearMemory(group, team.compressed);
    const ended = await train(own, { step, ...heard }, data, device, {
      metrics: () => {},
      evaluation: () => false,
      progress: () => {},
      checkpoint: () => Promise.resolve(),
      stop: () => false,
      stepped(state) {
        keep(state);
        stepped?.();
      },
      team,
    });
    if (!kept) dispose([ended.model, ended.optimizer]);
  }
}
