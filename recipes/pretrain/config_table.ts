/**
 * The named configurations as one table, in Markdown, which a terminal shows as well.
 *
 * @module
 */
import { parameterCount } from "../../nn/mod.ts";
import { short } from "../cli/format.ts";
import { markdown } from "../cli/markdown.ts";
import { isRecord } from "../cli/schema.ts";
import type { PretrainConfig } from "./config.ts";
import { modelSpec } from "./model.ts";

/** A configuration's values by their paths, as `--set` takes them. */
function valuesOf(value: unknown, path = ""): readonly (readonly [path: string, value: string])[] {
  if (Array.isArray(value)) return value.flatMap((one, i) => valuesOf(one, `${path}[${i}]`));
  if (!isRecord(value)) return [[path, shown(value)]];
  return Object.entries(value).flatMap(([name, one]) =>
    valuesOf(one, path ? `${path}.${name}` : name)
  );
}

/** Rates of a rule have no end of digits. */
const shown = (value: unknown): string =>
  typeof value === "number" && !Number.isInteger(value)
    ? String(Number(value.toPrecision(4)))
    : String(value);

/**
 * All values of some configurations: what differs between them as a table, with their parameters, and what they share as a list.
 */
export function configTable(configs: readonly PretrainConfig[]): readonly string[] {
  const columns = configs.map((config) => new Map(valuesOf(config)));
  const paths = [...new Set(columns.flatMap((column) => [...column.keys()]))]
    .filter((path) => path !== "name");
  const rowOf = (path: string): readonly string[] =>
    columns.map((column) => column.get(path) ?? "-");
  const isShared = (path: string): boolean => new Set(rowOf(path)).size === 1;
  const parameters = configs.map(({ model, data, click }) =>
    short(parameterCount(modelSpec(model, data.vocabularySize, click !== null)))
  );
  return [
    ...markdown([
      ["", ...configs.map(({ name }) => name)],
      ["parameters", ...parameters],
      ...paths.filter((path) => !isShared(path)).map((path) => [path, ...rowOf(path)]),
    ]),
    "",
    "All have:",
    "",
    ...markdown([
      ["", ""],
      ...paths.filter(isShared).map((path) => [path, rowOf(path)[0]!]),
    ]),
  ];
}
