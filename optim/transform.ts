/**
 * An optimiser is a chain of pure transforms of updates, as in optax: each takes the updates so far, its own state and the
 * parameters, and gives new updates and state. States are trees of tensors, so they are donated, saved and sharded like
 * parameters.
 *
 * Transforms work on flat leaves in the fixed order; `optimizer` (optimizer.ts) maps whole trees to them and back.
 *
 * @module
 */
import type { AnyTensor, Tensor, Tree } from "../core/mod.ts";
import type { Settings } from "./groups.ts";

/** One parameter as a transform sees it. */
export interface Leaf {
  /** Its place in the tree. */
  readonly path: string;
  /** Its values. */
  readonly value: AnyTensor;
  /** What its groups say. */
  readonly settings: Settings;
}

/** The state of a transform: a tree of tensors. */
export type State = Tree<AnyTensor>;

/** What every transform of one step is told. */
export interface Step {
  /** Number of this step, from 1. Skipped steps do not count. */
  readonly count: Tensor<[], "i32">;
  /** Norm of the whole gradient, where the updates are only a part of it. */
  readonly norm?: Tensor<[]>;
}

/** What a transform gives. */
export interface Updated {
  /** The new updates, one a parameter. */
  readonly updates: readonly AnyTensor[];
  /** The new state. */
  readonly state: State;
  /** Scalars worth logging. */
  readonly metrics?: Readonly<Record<string, Tensor<[]>>>;
}

/** A pure transform of updates. */
export interface Transform {
  /** The state before the first step. */
  readonly init: (params: readonly Leaf[]) => State;
  /** One step. */
  readonly update: (
    updates: readonly AnyTensor[],
    state: State,
    params: readonly Leaf[],
    step: Step,
  ) => Updated;
}

/** A transform without state: f of every update and its parameter. */
export function stateless(
  f: (update: AnyTensor, param: Leaf, step: Step) => AnyTensor,
): Transform {
  return {
    init: () => ({}),
    update: (updates, state, params, step) => ({
      updates: updates.map((u, i) => f(u, params[i]!, step)),
      state,
    }),
  };
}

/** One transform after another. */
export function chain(...transforms: readonly Transform[]): Transform {
  return {
    init: (params) => transforms.map((t) => t.init(params)),
    update: (updates, state, params, step) => {
      const states = state as readonly State[];
      let now = updates, metrics = {};
      const next = transforms.map((t, i) => {
        const out = t.update(now, states[i]!, params, step);
        now = out.updates;
        metrics = { ...metrics, ...out.metrics };
        return out.state;
      });
      return { updates: now, state: next, metrics };
    },
  };
}
