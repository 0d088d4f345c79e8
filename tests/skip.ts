/**
 * How a suite says that it cannot run here: the test runner lists these by name and reason, and
 * `MOTIAN_REQUIRE=webgpu,…` makes a skip of the named suites a failure.
 *
 * @module
 */

const MARK = ": skipped, ";

/** Registers one ignored test in place of a suite, for example `skip("webgpu", "no adapter")`. */
export function skip(suite: string, reason: string): void {
  Deno.test.ignore(`${suite}${MARK}${reason}`, () => {});
}

/** A suite that did not run. */
export interface Skipped {
  readonly suite: string;
  readonly reason: string;
}

/** What an ignored test's name says; a test ignored by other means gives no reason. */
export function skippedOf(testName: string): Skipped {
  const [suite = testName, ...reason] = testName.split(MARK);
  return { suite, reason: reason.join(MARK) || "no reason given" };
}

/** The skipped suites that `required` (`MOTIAN_REQUIRE`) names, as a word or words of the suite's name. */
export function refused(skips: readonly Skipped[], required: string): readonly Skipped[] {
  const wanted = required.split(",").map((word) => word.trim()).filter((word) => word);
  const words = (text: string) => ` ${text.toLowerCase().replace(/[^\p{L}\d]+/gu, " ")} `;
  return skips.filter(({ suite }) => wanted.some((word) => words(suite).includes(words(word))));
}
