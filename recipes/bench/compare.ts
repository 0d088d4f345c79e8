/**
 * Two baselines side by side: what became slower or faster by more than the noise of both.
 *
 * @module
 */
import { readBaseline } from "./baseline.ts";
import { isRate, type Row, rowKey } from "./row.ts";
import { number3 } from "./table.ts";

/** A change below this is none, however quiet the machine was. */
const LEAST = 0.03;
/** A change must exceed this many spreads of both runs together. Spread is half the quartiles' distance; 3 of it are about 2 σ. */
const SPREADS = 3;

/** One row in both runs. */
export interface Change {
  readonly key: string;
  /** Above 1: the newer is faster. */
  readonly ratio: number;
  /** How far from 1 the ratio may be by chance. */
  readonly noise: number;
  readonly verdict: "slower" | "faster" | "same";
  readonly text: string;
}

/** How rows changed; of several rows of ours beside different peers the one with the least spread counts. */
export function changes(older: readonly Row[], newer: readonly Row[]): readonly Change[] {
  const before = byOurs(older), after = byOurs(newer);
  return [...before].flatMap(([key, a]) => {
    const b = after.get(key);
    if (!b) return [];
    const ratio = isRate(a.unit) ? b.ours! / a.ours! : a.ours! / b.ours!;
    const noise = Math.max(LEAST, SPREADS * Math.hypot(a.spread ?? 0, b.spread ?? 0));
    const verdict = ratio < 1 / (1 + noise) ? "slower" : ratio > 1 + noise ? "faster" : "same";
    const text = `${number3(a.ours!)} -> ${number3(b.ours!)} ${a.unit}`;
    return [{ key, ratio, noise, verdict, text }];
  });
}

function byOurs(rows: readonly Row[]): ReadonlyMap<string, Row> {
  const found = new Map<string, Row>();
  for (const row of rows) {
    if (row.ours === null) continue;
    const key = rowKey({ ...row, peer_name: null }), known = found.get(key);
    if (!known || (row.spread ?? 0) < (known.spread ?? 0)) found.set(key, row);
  }
  return found;
}

/** What `--compare` prints. */
export async function compareBaselines(older: string, newer: string): Promise<readonly string[]> {
  const all = changes(await readBaseline(older), await readBaseline(newer));
  const shown = ({ key, ratio, noise, text }: Change): string =>
    `  ${key}: ${ratio.toFixed(2)}x (noise ${(100 * noise).toFixed(0)} %), ${text}`;
  const part = (verdict: Change["verdict"]): readonly Change[] =>
    all.filter((change) => change.verdict === verdict).sort((a, b) => a.ratio - b.ratio);
  const [slower, faster, same] = [part("slower"), part("faster"), part("same")];
  return [
    `${all.length} rows in both: ${slower.length} slower, ${faster.length} faster, ${same.length} the same`,
    ...slower.length ? ["slower:", ...slower.map(shown)] : [],
    ...faster.length ? ["faster:", ...faster.map(shown)] : [],
    ...same.length ? ["the same, within the noise:", ...same.map(shown)] : [],
  ];
}
