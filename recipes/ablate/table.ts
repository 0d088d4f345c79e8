/**
 * An outcome for a terminal.
 *
 * @module
 */
import { aligned } from "../cli/aligned.ts";
import { type Outcome, verdictLines } from "./outcome.ts";
import { number, text } from "./statistics.ts";

/** Lines: the claim, a table of answers, what is to be said of it. `*` marks the best of a group. */
export function outcomeLines(outcome: Outcome): readonly string[] {
  const { ablation, questions, groups, floors, missing, absent } = outcome;
  const head = ["", ...questions.map(({ name }) => `${name}  `), "seeds"];
  const rows = groups.flatMap(({ name, rows }) => [
    ...name === undefined ? [] : [[name, ...head.slice(1).map(() => "")]],
    ...rows.map(({ variant, seeds, summaries, best }) => [
      `${name === undefined ? "" : "  "}${variant}`,
      ...summaries.map((summary, i) => `${summary ? text(summary) : "-"} ${best[i] ? "*" : " "}`),
      String(seeds),
    ]),
  ]);
  const floor = floors.every((value) => value === undefined)
    ? []
    : [["(floor)", ...floors.map((value) => `${value === undefined ? "-" : number(value)}  `), ""]];
  return [
    `${ablation.name}: ${ablation.claim}`,
    ...aligned([head, ...rows, ...floor], ["left"]).map((line) => `  ${line}`),
    ...verdictLines(outcome).map((line) => `  ${line}`),
    ...missing.length > 0 ? [`  To be trained: ${missing.join(", ")}`] : [],
    ...ablation.note ? [`  Note: ${ablation.note}`] : [],
    ...absent.map((what) => `  Left out: ${what}`),
  ];
}
