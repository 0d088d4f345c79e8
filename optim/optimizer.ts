/**
 * An optimiser over whole parameter trees: counts steps, applies the chain, and skips a step whose gradients are not
 * finite without a trace: neither the count (so neither the schedule) nor the moments move.
 *
 * @module
 */
import {
  add,
  type AnyTensor,
  cast,
  leaves,
  mapTree,
  paths,
  type Tensor,
  type Tree,
  where,
  zeros,
} from "../core/mod.ts";
import { type Group, type Settings, settingsOf } from "./groups.ts";
import type { Leaf, State, Transform } from "./transform.ts";

/** The state of an optimiser. */
export interface OptimizerState {
  /** Steps taken; skipped ones do not count. */
  readonly count: Tensor<[], "i32">;
  /** What the chain remembers. */
  readonly transforms: State;
}

/** What one step gives. */
export interface Stepped<P> {
  /** The new parameters. */
  readonly params: P;
  /** The new state. */
  readonly state: OptimizerState;
  /** Scalars worth logging. */
  readonly metrics: Readonly<Record<string, Tensor<[]>>>;
}

/** Initial state, and one step. Both are pure and may be traced. */
export interface Optimizer {
  /** The state before the first step. */
  readonly init: <P>(params: P) => OptimizerState;
  /**
   * `take`: a bool scalar; where it is false nothing changes. `norm`: that of the whole gradient, where another process moves some of the
   * parameters, which are frozen here.
   */
  readonly step: <P>(
    params: P,
    grads: P,
    state: OptimizerState,
    take?: Tensor<[], "bool">,
    norm?: Tensor<[]>,
  ) => Stepped<P>;
  /** Left out where gradients are sent as they are. */
  readonly sent?: Sent;
}

/**
 * What processes send each other instead of gradients: both ways are pure and may be traced. The sum of what all carry lands as the
 * gradient that `step` takes.
 */
export interface Sent {
  /** What to send for one process's gradients, a `share` of the whole if all have as many. */
  readonly carry: <P>(grads: P, state: OptimizerState, share: number) => P;
  /** The gradient of the whole for the sum of what was sent. */
  readonly land: <P>(sum: P, state: OptimizerState) => P;
}

/** Options that every optimiser has. */
export interface OptimizerOptions {
  /** Weight decay of the parameters that no group says otherwise of. */
  readonly decay?: number;
  /** What holds for some parameters only. */
  readonly groups?: readonly Group[];
  /** What moments are stored as; f32. */
  readonly stateDtype?: Settings["stateDtype"];
}

/** The leaves of a tree of parameters, or of their gradients, with their settings. */
export function flat(tree: unknown, options: OptimizerOptions): readonly Leaf[] {
  const base: Settings = {
    rate: 1,
    decay: options.decay ?? 0,
    trustRatio: true,
    frozen: false,
    stateDtype: options.stateDtype ?? "f32",
  };
  return paths(tree as Tree<AnyTensor>).map(([path, value]) => ({
    path,
    value,
    settings: settingsOf(path, base, options.groups ?? []),
  }));
}

/** Those of the leaves that are not frozen. */
export const learning = (all: readonly Leaf[]): Leaf[] => all.filter((p) => !p.settings.frozen);

function select<T>(take: Tensor<[], "bool">, yes: T, no: T): T {
  const old = leaves(no as Tree<AnyTensor>);
  let i = 0;
  return mapTree(yes as Tree<AnyTensor>, (x) => where(take, x, old[i++]!)) as T;
}

/** The optimiser of a chain of transforms. */
export function optimizer(transform: Transform, options: OptimizerOptions = {}): Optimizer {
  return {
    init: (params) => ({
      count: zeros([], "i32"),
      transforms: transform.init(learning(flat(params, options))),
    }),
    step: (params, grads, state, take, norm) => {
      const all = flat(params, options), moving = learning(all);
      const gradients = new Map(paths(grads as Tree<AnyTensor>));
      const count = add(state.count, 1);
      const { updates, state: transforms, metrics = {} } = transform.update(
        moving.map((p) => cast(gradients.get(p.path)!, "f32")),
        state.transforms,
        moving,
        { count, ...norm && { norm } },
      );
      const moves = new Map(moving.map((p, i) => [p.path, updates[i]!]));
      const next = {
        params: mapTree(params as Tree<AnyTensor>, (p, path) => {
          const move = moves.get(path);
          return move ? add(p, cast(move, p.dtype)) : p;
        }) as typeof params,
        state: { count, transforms },
      };
      return { ...(take ? select(take, next, { params, state }) : next), metrics };
    },
  };
}
