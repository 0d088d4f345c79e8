/**
 * What a run begins with, or goes on from.
 *
 * @module
 */
import { dispose, toDevice } from "../../core/mod.ts";
import { checkpointSteps, latestCheckpoint } from "../run/checkpoint.ts";
import { originOf } from "./init_from.ts";
import type { RunOptions, State } from "./run.ts";
import { startTokens } from "./token_start.ts";
import { initialState } from "./train.ts";

/** The state before the first step. */
export async function firstState({ config, corpus, device, init }: RunOptions): Promise<State> {
  const fresh = await initialState(config, corpus.vocabulary.tokens.length, device);
  if (!init) return { ...fresh, model: await startTokens(config, fresh.model, corpus, device) };
  const { weights } = await originOf(init.checkpoint);
  const model = await toDevice(await weights(fresh.model), device);
  dispose(fresh.model);
  return { ...fresh, model };
}

/** What a run goes on from; one that died before its first checkpoint begins again, where it was to leave any. */
export async function startState(o: RunOptions): Promise<State> {
  if (o.kept?.state) return o.kept.state;
  const leaves = o.config.checkpointEvery > 0 || o.kept !== undefined;
  const isNew = !o.resume || leaves && !(await checkpointSteps(o.out)).length;
  if (o.resume && isNew && !o.kept) {
    o.view.note(`no checkpoint in ${o.out} yet: the run begins again`);
  }
  if (isNew) return await firstState(o);
  const like = await initialState(o.config, o.corpus.vocabulary.tokens.length, o.device);
  return await latestCheckpoint(o.out, like, o.device);
}
