/**
 * Reads what `deno test --junit-path` writes.
 *
 * @module
 */
import { type Skipped, skippedOf } from "./skip.ts";

/** What one test process did. */
export interface Outcome {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: readonly Skipped[];
}

/** Counts the cases of a report; a step counts as a case. */
export function outcomeOf(report: string): Outcome {
  const skipped: Skipped[] = [];
  let passed = 0, failed = 0;
  for (
    const [, name, body] of report.matchAll(/<testcase name="([^"]*)"[^>]*>(.*?)<\/testcase>/gs)
  ) {
    if (body!.includes("<skipped")) skipped.push(skippedOf(unescape(name!)));
    else if (/<(failure|error)\b/.test(body!)) failed++;
    else passed++;
  }
  return { passed, failed, skipped };
}

function unescape(text: string): string {
  const marks: Readonly<Record<string, string>> = {
    quot: '"',
    apos: "'",
    lt: "<",
    gt: ">",
    amp: "&",
  };
  return text.replace(/&(\w+);/g, (whole, mark: string) => marks[mark] ?? whole);
}
