/**
 * Processes that take their steps apart (`diloco`): each by its own optimiser on its own part of the data; the parameters of all meet in
 * outer ones, which every process has, fragment after fragment.
 *
 * @module
 */
import { type AnyTensor, type Device, dispose, toDevice, type Tree } from "../../core/mod.ts";
import {
  alone,
  type Collective,
  createOuter,
  fragmentBegunAfter,
  mixInto,
} from "../../dist/mod.ts";
import { InputError } from "../cli/input_error.ts";
import { type BetweenSteps, betweenSteps } from "./between_steps.ts";
import type { PretrainConfig } from "./config.ts";
import type { Model } from "./model.ts";
import { rowOf } from "./model_row.ts";
import type { LearnState } from "./step.ts";
import { gatherOwn, handOwn, type Own } from "./workers.ts";

/** What the loop needs of processes that take their steps apart. */
export interface Apart extends BetweenSteps {
  readonly size: number;
  /** Is this the process that decides, evaluates and saves? */
  readonly isFirst: boolean;
  /** Seconds that were waited for exchanges so far. */
  readonly exchanged: number;
  /** Which of all processes' steps, in a row, is this process's: it says what it learns from. */
  turn(step: number): number;
  /** The parameters that this process goes on with, in place of the outer ones, which are used up. */
  begin(outer: Model): Model;
  /** The same after a step: begins and ends the exchanges that are due. At the last step all take the mean. @throws DistError */
  after(step: number, model: Model): Promise<Model>;
  /** A copy of the outer parameters, with all exchanges that have begun. */
  outer(): Promise<Model>;
  /** What all have for themselves, one after the other: for the first process, while the others hand in theirs. */
  gather(model: Model, optimizer: LearnState): AsyncIterable<Tree<AnyTensor>>;
  /** Hands in what this process has. @throws DistError */
  hand(model: Model, optimizer: LearnState): Promise<void>;
}

/** What such processes begin with: outer parameters, and where they go on what they had. */
export interface ApartStart {
  readonly model: Model;
  readonly own?: Own | undefined;
}

/** The part of a configuration that is one process's: its share of every batch. */
export function ofOneWorker(config: PretrainConfig): PretrainConfig {
  const { diloco, data, click } = config;
  if (diloco === null || diloco.workers === 1) return config;
  const share = <T extends { readonly batch: number }>(whole: T): T => ({
    ...whole,
    batch: whole.batch / diloco.workers,
  });
  return { ...config, data: share(data), click: click && share(click) };
}

/** The processes of a group. What they exchange beside steps goes over a group of its own, `beside`. */
export async function createApart(
  group: Collective,
  beside: Collective,
  { diloco, steps: total }: Pick<PretrainConfig, "diloco" | "steps">,
  { model: start, own }: ApartStart,
  device: Device,
): Promise<Apart> {
  const { delay, mix, outerRate: rate, outerMomentum: beta, ...plan } = diloco!;
  const { rank, size } = group;
  if (size !== plan.workers) {
    throw new InputError(
      `Cannot train by ${size} ${
        size === 1 ? "process" : "processes"
      }: diloco.workers is ${plan.workers}, and as many take part; start as many by --nproc`,
    );
  }
  const row = rowOf(start), params = await row.read(start, row.whole);
  const momentum = own ? own.momentum : new Float32Array(params.length);
  const outer = createOuter(beside, { params, momentum }, {
    ...{ ...plan, rate, beta },
    lengths: row.lengths,
  });
  let ms = 0;
  const waiting = async (what: Promise<void>): Promise<void> => {
    const began = performance.now();
    await what;
    ms += performance.now() - began;
  };
  /** Takes in the fragment whose exchange began after a step, if one did. */
  async function taken(model: Model, step: number): Promise<Model> {
    const fragment = fragmentBegunAfter(step, plan);
    if (fragment === undefined) return model;
    await waiting(outer.settle(fragment));
    const span = outer.spans[fragment]!, local = await row.read(model, span);
    mixInto(local, params.subarray(span.from, span.to), mix);
    return await row.write(model, span, local);
  }
  async function ownOf(model: Model): Promise<Own> {
    await waiting(outer.settle());
    return { momentum, params: await row.read(model, row.whole) };
  }
  return {
    ...betweenSteps(group),
    size,
    isFirst: rank === 0,
    get exchanged() {
      return ms / 1000;
    },
    turn: (step) => step * size + rank,
    begin(model) {
      if (!own) return model;
      dispose(model);
      return row.model(own.params);
    },
    async after(step, model) {
      if (step < total) {
        const begun = fragmentBegunAfter(step, plan);
        if (begun !== undefined) outer.begin(begun, await row.read(model, outer.spans[begun]!));
        return await taken(model, step - delay);
      }
      let last = model;
      for (let before = step - delay; before < step; before++) last = await taken(last, before);
      await waiting(outer.mean(await row.read(last, row.whole)));
      return await row.write(last, row.whole, params);
    },
    async outer() {
      await waiting(outer.settle());
      return await toDevice(row.model(params), device);
    },
    async *gather(model, optimizer) {
      yield* gatherOwn(group, await ownOf(model), optimizer);
    },
    hand: async (model, optimizer) => await handOwn(group, await ownOf(model), optimizer),
  };
}

/** One process that is all of them, where the configuration wants any. @throws InputError where it wants more */
export async function soloApart(
  config: PretrainConfig,
  start: ApartStart,
  device: Device,
): Promise<Apart | undefined> {
  return config.diloco ? await createApart(alone(), alone(), config, start, device) : undefined;
}
