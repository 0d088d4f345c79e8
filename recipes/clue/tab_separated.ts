/**
 * Tab-separated lines, with or without a header, as the lines of JSON that say the same.
 *
 * @module
 */
import type { Fail } from "./fields.ts";

/** What columns hold. */
export interface Columns {
  /** Fields in the order of the columns, where no header names them: one list for each number of columns. */
  readonly bare: readonly (readonly string[])[];
  /** Fields by the names that a header may give them. */
  readonly header: Readonly<Record<string, string>>;
}

/** A pair and its label, as LCQMC, BUSTM and AFQMC are handed on. */
export const pairColumns: Columns = {
  bare: [["sentence1", "sentence2"], ["sentence1", "sentence2", "label"]],
  header: {
    ...{ id: "id", qid: "id", label: "label" },
    ...{ text_a: "sentence1", sentence1: "sentence1" },
    ...{ text_b: "sentence2", sentence2: "sentence2" },
  },
};

/** Is a file tab-separated? Its name says so. */
export const isTabSeparated = (path: string): boolean => /\.(tsv|txt)$/i.test(path);

/**
 * A reader of the lines of one file, in their order: each as JSON; undefined for a header.
 */
export function tabReader(
  { bare, header }: Columns,
): (line: string, fail: Fail) => string | undefined {
  let fields: readonly string[] | undefined, begun = false;
  return (line, fail) => {
    const values = line.split("\t");
    if (!begun) {
      begun = true;
      if (values.every((name) => Object.hasOwn(header, name.trim()))) {
        fields = values.map((name) => header[name.trim()]!);
        return undefined;
      }
      fields = bare.find(({ length }) => length === values.length);
      const known = bare.map(({ length }) => length).join(" or ");
      if (!fields) fail(`it has ${values.length} columns between tabs, it must have ${known}`);
    }
    const own = fields!;
    if (values.length !== own.length) {
      fail(`it has ${values.length} columns between tabs, the first line has ${own.length}`);
    }
    return JSON.stringify(Object.fromEntries(own.map((name, i) => [name, values[i]])));
  };
}
