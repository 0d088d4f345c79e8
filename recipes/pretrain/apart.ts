/**
 * Processes that take their steps apart (`diloco`): each by its own optimiser on its own part of the data; the parameters of all meet in
 * outer ones, which every process has, fragment after fragment.
 *
 * @module
 */
import {
  type AnyTensor,
  type Device,
  dispose,
  fromArray,
  leaves,
  mapTree,
  read,
  sizesOf,
  type Tensor,
  toDevice,
  type Tree,
} from "../../core/mod.ts";
import {
  alone,
  type Collective,
  createOuter,
  fragmentBegunAfter,
  mixInto,
  type Span,
} from "../../dist/mod.ts";
import { InputError } from "../cli/input_error.ts";
import { type BetweenSteps, betweenSteps } from "./between_steps.ts";
import type { PretrainConfig } from "./config.ts";
import type { Model } from "./model.ts";
import type { LearnState } from "./step.ts";
import { gatherWorkers, type Workers } from "./workers.ts";

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
  begin(outer: Model): Promise<Model>;
  /** The same after a step: begins and ends the exchanges that are due. At the last step all take the mean. @throws DistError */
  after(step: number, model: Model): Promise<Model>;
  /** A copy of the outer parameters, with all exchanges that have begun. */
  outer(): Promise<Model>;
  /** What a checkpoint needs beside the first process's own, where all ask for it at the same time; the others get nothing. */
  gather(model: Model, optimizer: LearnState): Promise<Workers | undefined>;
}

/** What such processes begin with: outer parameters, and where they go on what they had. */
export interface ApartStart {
  readonly model: Model;
  readonly workers?: Workers | undefined;
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

const tensorsOf = (model: Model): AnyTensor[] => leaves(model as unknown as Tree<AnyTensor>);

/** The leaves of a model in a row, in parts and as a whole. */
function rowOf(like: Model) {
  const shapes = tensorsOf(like).map((x) => [...sizesOf(x)]);
  let length = 0;
  const spans = shapes.map((shape): Span => {
    const from = length;
    length += shape.reduce((n, axis) => n * axis, 1);
    return { from, to: length };
  });
  const touches = (leaf: number, { from, to }: Span): boolean =>
    spans[leaf]!.from < to && spans[leaf]!.to > from;
  /** The leaves of a model that a span touches, each read whole, and where in the row they are. */
  const touched = (model: Model, span: Span) =>
    Promise.all(
      tensorsOf(model).flatMap((x, leaf) =>
        touches(leaf, span)
          ? [read(x as Tensor).then((array) => ({ array, at: spans[leaf]!.from }))]
          : []
      ),
    );
  return {
    whole: { from: 0, to: length },
    async read(model: Model, { from, to }: Span): Promise<Float32Array<ArrayBuffer>> {
      const row = new Float32Array(to - from);
      for (const { array, at } of await touched(model, { from, to })) {
        const own = array.subarray(Math.max(0, from - at), Math.min(array.length, to - at));
        row.set(own, Math.max(0, at - from));
      }
      return row;
    },
    /** A model with other values in a span, which takes the place of this one. */
    async write(model: Model, { from, to }: Span, row: Float32Array): Promise<Model> {
      const found = await touched(model, { from, to });
      for (const { array, at } of found) {
        const first = Math.max(from, at), last = Math.min(to, at + array.length);
        array.set(row.subarray(first - from, last - from), first - at);
      }
      let leaf = 0;
      return mapTree(model as unknown as Tree<AnyTensor>, (x) => {
        const i = leaf++;
        if (!touches(i, { from, to })) return x;
        dispose(x);
        return fromArray(found.shift()!.array, shapes[i]!) as AnyTensor;
      }) as unknown as Model;
    },
    /** A model of other values. */
    model(row: Float32Array): Model {
      let leaf = 0;
      return mapTree(like as unknown as Tree<AnyTensor>, () => {
        const { from, to } = spans[leaf]!;
        return fromArray(row.slice(from, to), shapes[leaf++]!) as AnyTensor;
      }) as unknown as Model;
    },
  };
}

/** The processes of a group. What they exchange beside steps goes over a group of its own, `beside`. */
export async function createApart(
  group: Collective,
  beside: Collective,
  { diloco, steps: total }: Pick<PretrainConfig, "diloco" | "steps">,
  { model: start, workers }: ApartStart,
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
  const momentum = workers
    ? await read(workers.momentum as Tensor)
    : new Float32Array(params.length);
  const outer = createOuter(beside, { params, momentum }, { ...plan, rate, beta });
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
  return {
    ...betweenSteps(group),
    size,
    isFirst: rank === 0,
    get exchanged() {
      return ms / 1000;
    },
    turn: (step) => step * size + rank,
    async begin(model) {
      if (!workers) return model;
      const own = row.model(await read(workers.own as Tensor));
      dispose([model, workers]);
      return own;
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
    async gather(model, optimizer) {
      await waiting(outer.settle());
      return await gatherWorkers(group, await row.read(model, row.whole), momentum, optimizer);
    },
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
