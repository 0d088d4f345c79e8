/**
 * Rows for people: a line each, under a heading for each section.
 *
 * @module
 */
import type { Row } from "./row.ts";

/** Three digits, or whole where there are more before the point. */
export function number3(x: number): string {
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(x) || 1)));
  return x.toFixed(Math.min(digits, 6));
}

const columns = [
  ["what", 22],
  ["size", 24],
  ["device", 9],
  ["ours", 9],
  ["peer", 9],
  ["unit", 9],
  ["ratio", 7],
  ["roof", 6],
  ["load", 6],
  ["beside", 0],
] as const;

function line(cells: readonly string[]): string {
  return cells.map((cell, i) => {
    const [, width] = columns[i]!;
    return i >= 3 && i !== 5 && width ? cell.padStart(width) : cell.padEnd(width);
  }).join("  ").trimEnd();
}

/** The line above the rows. */
export const tableHead: string = line(columns.map(([name]) => name));

/** One row. */
export function tableLine(row: Row): string {
  const shown = (x: number | null): string => x === null ? "-" : number3(x);
  const percent = (x: number | undefined | null): string =>
    x === undefined || x === null ? "-" : `${(100 * x).toFixed(0)} %`;
  return line([
    row.name,
    row.size,
    row.device,
    shown(row.ours),
    shown(row.peer),
    row.unit,
    row.ratio === null ? "-" : `${row.ratio.toFixed(2)}x`,
    percent(row.roof_share),
    percent(row.load?.during),
    [row.peer_name, row.reason].filter((text) => text !== null).join(": "),
  ]);
}
