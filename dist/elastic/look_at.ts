import type { Ask } from "./asking.ts";
import type { Roster } from "./roster.ts";

/** What became of members that were asked. */
export interface Looked {
  /** Those that do not listen any more, or not yet. */
  readonly gone: readonly string[];
  /** Those that do not answer in time. */
  readonly silent: readonly string[];
  /** Those that answer as members of the same generation. */
  readonly here: readonly string[];
}

/** Looks after the other members of a roster. */
export async function lookAt(
  ask: Ask,
  { members, generation }: Roster,
  name: string,
  wait: number,
): Promise<Looked> {
  const others = members.filter((seat) => seat.name !== name);
  const replies = await Promise.all(
    others.map(async (seat) => [seat.name, await ask(seat, "ping", wait)] as const),
  );
  const which = (kind: string): readonly string[] =>
    replies.flatMap(([name, reply]) => reply === kind ? [name] : []);
  return { gone: which("gone"), silent: which("silent"), here: which(`ok ${generation}`) };
}
