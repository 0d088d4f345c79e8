/**
 * What a logged row says of its steps.
 *
 * @module
 */
import type { Row } from "../run/rows.ts";
import type { Precision } from "./config.ts";

/** What one step reports, by the names of `metricNames`. */
export type Values = Readonly<Record<string, number>> & { readonly step: number };

/**
 * One row for the steps since the last: the newest values, means of the loss, the sum of what was skipped. What a loss scale skips does not
 * count, unless there is nothing else.
 */
export function metricsRow(all: readonly Values[], precision: Precision): Row {
  const isScaled = precision === "f16", taken = all.filter((r) => r.skipped === 0);
  const rows = isScaled && taken.length > 0 ? taken : all, last = rows.at(-1)!;
  const weight = rows.reduce((sum, r) => sum + r.weight!, 0);
  const mean = (name: string): number =>
    rows.reduce((sum, r) => sum + r[name]! * r.weight!, 0) / weight;
  const loss = mean("loss");
  return {
    step: all.at(-1)!.step,
    loss,
    mlm_loss: loss,
    mlm_ppl: Math.exp(loss),
    accuracy: mean("correct"),
    lr: last.lr!,
    grad_norm: last.grad_norm!,
    skipped: all.reduce((sum, r) => sum + r.skipped!, 0),
    ...isScaled && { loss_scale: all.at(-1)!.loss_scale! },
    masked: weight,
    ...last.click_weight! > 0 && {
      click_loss: last.click_loss!,
      mlm_share: last.mlm_share!,
      click_share: last.click_share!,
    },
  };
}
