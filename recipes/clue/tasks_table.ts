/**
 * `deno task clue --tasks`: what there is to learn, and how it is learnt where nothing else is asked for.
 *
 * @module
 */
import type { Task } from "./task.ts";

/** Lines of a table, or objects. */
export function tasksTable(
  tasks: Readonly<Record<string, Task>>,
  json: boolean,
): readonly string[] {
  const all = Object.values(tasks);
  if (json) {
    return all.map(({ name, about, defaults }) =>
      JSON.stringify({ task: name, about, ...defaults })
    );
  }
  const rows = [
    ["task", "length", "epochs", "batch", "rate", "dropout", "layer decay", "asks"],
    ...all.map((
      { name, about, defaults: { length, epochs, batch, rate, dropout, layerDecay } },
    ) => [
      name,
      ...[length, epochs, batch].map(String),
      rate.toExponential(),
      String(dropout),
      String(layerDecay),
      about,
    ]),
  ];
  const widths = rows[0]!.map((_, k) => Math.max(...rows.map((row) => row[k]!.length)));
  return rows.map((row) =>
    row.map((text, k) =>
      k === 0 ? text.padEnd(widths[k]!) : k < row.length - 1 ? text.padStart(widths[k]!) : text
    ).join("  ")
  );
}
