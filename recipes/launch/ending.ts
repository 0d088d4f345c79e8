import type { RankEnd } from "./ranks.ts";

/** How a rank ended, in words. */
export function endingText({ code, signal }: RankEnd): string {
  return signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`;
}
