/**
 * How long a training will take.
 *
 * @module
 */
import { stagesOf } from "../pretrain/stages.ts";
import type { Done } from "./outcome.ts";
import { type Cell, phasesOf } from "./plan.ts";

/** Tokens that a cell learns from, with repetitions: what its time grows with. */
function tokensOf(cell: Cell): number {
  return phasesOf(cell).flatMap(stagesOf).reduce((sum, { config: { steps, data, click } }) => {
    const titles = click ? click.batch * click.docs * click.length : 0;
    return sum + steps * (data.batch * data.length + titles);
  }, 0);
}

/** By the pace of others, of the same ablation where there are any: its models and questions are alike. 0 where nothing is known. Units: seconds. */
export function foreseen(cell: Cell, others: readonly Done[]): number {
  const alike = others.filter((other) => other.cell.ablation === cell.ablation);
  const known = alike.length > 0 ? alike : others;
  const tokens = known.reduce((sum, { cell }) => sum + tokensOf(cell), 0);
  const seconds = known.reduce((sum, { result }) => sum + result.seconds, 0);
  return tokens === 0 ? 0 : tokensOf(cell) * seconds / tokens;
}
