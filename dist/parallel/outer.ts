/**
 * DiLoCo's outer parameters: all ranks have the same bits of them, and move them by how far each has come with steps of its own.
 *
 * @module
 */
import type { Span } from "../group/chunk.ts";
import type { Collective } from "./alone.ts";
import { compareChecksums } from "./checksums.ts";
import { fragmentsOf } from "./fragments.ts";
import { outerSums, type OuterWire, spanBucket } from "./outer_sum.ts";
import { type OuterRates, type OuterState, outerStep } from "./outer_step.ts";

/** How outer parameters are exchanged and moved. */
export interface OuterOptions extends OuterRates {
  /** Spans that are exchanged apart. */
  readonly fragments: number;
  /** What is sent. */
  readonly wire: OuterWire;
  /** Elements of the leaves, in their order: codes have scales of one leaf alone. One leaf if left out. */
  readonly lengths?: readonly number[];
}

/** The outer parameters of a rank, as flat arrays over all leaves. */
export interface Outer extends OuterState {
  /** Spans of the parameters. */
  readonly spans: ReturnType<typeof fragmentsOf>;
  /**
   * Begins to exchange a fragment, of which this rank has these values; they may change afterwards. All ranks begin the same ones in the
   * same order.
   *
   * @throws RangeError if that fragment is under way
   */
  begin(fragment: number, local: Float32Array): void;
  /** Waits until a fragment that was begun has moved, or all of them. @throws DistError */
  settle(fragment?: number): Promise<void>;
  /**
   * Makes the outer parameters the mean of everybody's, as the wire rounds it, when nothing is under way; momentum stays.
   *
   * @throws DistError
   */
  mean(local: Float32Array): Promise<void>;
}

/** Outer parameters, which are moved in place. `group` is used for nothing else: its operations go on beside the steps. */
export function createOuter(
  group: Collective,
  { params, momentum }: OuterState,
  { fragments, wire, rate, beta, lengths = [params.length] }: OuterOptions,
): Outer {
  const spans = fragmentsOf(params.length, fragments), relative = wire !== "f32";
  const { size: count } = group, whole = { from: 0, to: params.length };
  const flights = new Map<number, Promise<void>>();
  let tail = Promise.resolve();

  /** The sum of what all ranks send, where all have the same outer values. */
  async function exchange(
    name: string,
    state: OuterState,
    sent: Float32Array,
    span: Span,
  ): Promise<void> {
    await compareChecksums(group, [
      [`${name} of the outer parameters`, state.params],
      [`${name} of the outer momentum`, state.momentum],
    ]);
    await outerSums[wire](group, sent, spanBucket(lengths, span));
  }
  /** What a rank sends of its values. */
  function messageOf(local: Float32Array, theta: Float32Array): Float32Array {
    if (local.length !== theta.length) {
      throw new TypeError(`Cannot exchange ${local.length} parameters: there are ${theta.length}`);
    }
    return relative ? local.map((x, i) => x - theta[i]!) : local.slice();
  }
  return {
    params,
    momentum,
    spans,
    begin(fragment, local) {
      if (flights.has(fragment)) {
        throw new RangeError(`Cannot begin fragment ${fragment}: its last exchange is under way`);
      }
      const span = spans[fragment]!, { from, to } = span;
      const state = { params: params.subarray(from, to), momentum: momentum.subarray(from, to) };
      const sent = messageOf(local, state.params);
      // One after the other: the order of operations is the same on all ranks.
      tail = tail.then(async () => {
        await exchange(`fragment ${fragment}`, state, sent, span);
        outerStep(state, sent, { rate, beta, count, relative });
      });
      tail.catch(() => {}); // met by who settles
      flights.set(fragment, tail);
    },
    async settle(fragment) {
      const which = fragment === undefined ? [...flights.keys()] : [fragment];
      for (const one of which) {
        await flights.get(one);
        flights.delete(one);
      }
    },
    async mean(local) {
      const sent = messageOf(local, params), apart = new Float32Array(momentum.length);
      await exchange("the whole", { params, momentum }, sent, whole);
      outerStep({ params, momentum: apart }, sent, { rate: 1, beta: 0, count, relative });
    },
  };
}
