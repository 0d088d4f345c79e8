import type { Ask } from "./asking.ts";
import type { Roster } from "./roster.ts";

/** The other members that do not listen any more, and those that do not answer. */
export async function lookAt(
  ask: Ask,
  { members }: Roster,
  name: string,
  wait: number,
): Promise<{ readonly gone: readonly string[]; readonly silent: readonly string[] }> {
  const others = members.filter((seat) => seat.name !== name);
  const replies = await Promise.all(
    others.map(async (seat) => [seat.name, await ask(seat, "ping", wait)] as const),
  );
  const which = (kind: string): readonly string[] =>
    replies.flatMap(([name, reply]) => reply === kind ? [name] : []);
  return { gone: which("gone"), silent: which("silent") };
}
