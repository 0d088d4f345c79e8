import { DistError } from "../error.ts";
import { rankOf, type Roster } from "./roster.ts";

/** The others have formed a generation without this member. */
export function fenced(base: Roster, next: Roster, name: string): DistError {
  const rank = rankOf(base, name);
  const text =
    `Cannot go on: the others have formed generation ${next.generation} without ${name}, rank ${rank} of generation ${base.generation}`;
  return new DistError(text, "fenced", { rank });
}
