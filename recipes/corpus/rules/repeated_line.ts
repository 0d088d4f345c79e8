/**
 * The rule that remembers: a line that a document says again and again is its header or footer.
 *
 * @module
 */

/** A line that is said this often in one document is left out, from this time on. */
const OFTEN = 8;
/** Shorter ones may be refrains, or "他说：". */
const LONG_LINE = 8;

/** The rule, for the report. */
export const repeatedLine = {
  name: "repeated line",
  about: `a line of ${LONG_LINE} characters or more, from the ${OFTEN}th time in a document on`,
} as const;

/** For the lines of one document in their order: is this one to be left out? */
export function repeatedLines(): (line: string) => boolean {
  const said = new Map<string, number>();
  return (line) => {
    if (line.length < LONG_LINE) return false;
    const times = (said.get(line) ?? 0) + 1;
    said.set(line, times);
    return times >= OFTEN;
  };
}
