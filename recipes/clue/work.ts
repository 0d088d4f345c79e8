/**
 * How much work learning a task is, beside others: for a forecast of the time that is left.
 *
 * @module
 */
import type { TaskData } from "./run_task.ts";
import type { Unit } from "./unit.ts";

/** Units that are looked at: rows of some are long, and made when asked for. */
const LOOKED = 200;
/** A step forward and backward, in passes forward. */
const STEP = 3;

/** About how many tokens units have. */
export function tokensOf(units: readonly Unit[]): number {
  const every = Math.max(1, Math.ceil(units.length / LOOKED));
  const some = units.filter((_, i) => i % every === 0);
  const sum = some.reduce(
    (sum, { rows }) => sum + rows.reduce((own, { ids }) => own + ids.length, 0),
    0,
  );
  return some.length === 0 ? 0 : sum / some.length * units.length;
}

/** Tokens that pass forward through the model in so many epochs: each is judged, the best ones answer the tests. */
export function workOf({ train, dev, tests }: TaskData, epochs: number): number {
  const judged = [dev, ...tests].reduce((sum, { units }) => sum + tokensOf(units), 0);
  return epochs * (STEP * tokensOf(train.units) + judged);
}
