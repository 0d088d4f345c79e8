/**
 * How ranks that know only where the first one is find each other: they ask it for a link, saying where they listen themselves, and
 * over those links get everybody's address. Who is missing, there twice or of another job is found out here.
 *
 * @module
 */
import { DistError } from "../error.ts";
import { createOperation, together } from "../group/operation.ts";
import { nameHash } from "../message/header.ts";
import type { GroupTransport } from "../group/group.ts";
import type { Meeting, Transport } from "../transport/transport.ts";

/** Bytes that an address may have. */
export const LONGEST = 256;

/**
 * Everybody's address, by rank.
 *
 * @throws DistError that names the ranks that have not come, or what two ranks do not agree in
 */
export async function meet(
  transport: Transport | GroupTransport,
  meeting: Meeting,
): Promise<readonly string[]> {
  if ("meet" in transport) return await transport.meet(meeting);
  const { size, first, patience, ...member } = meeting;
  const { rank, job, generation, plan } = member, group = "meeting";
  if (size === 1) return [transport.address];
  const links = transport.join({ ...member, group, addresses: Array(size).fill(first) });
  const table = new Uint8Array(size * LONGEST);
  const subject = {
    ...{ job: nameHash(job), generation, group: nameHash(group), plan, sequence: 0 },
    ...{ operation: "allGather", type: "u8", reduction: "none", shape: [table.length] } as const,
  };
  const op = createOperation(links, subject, { rank, size });
  const others = Array.from({ length: size - 1 }, (_, r) => r + 1);
  const absent = new Set(rank === 0 ? others : [0]);
  // The first alone knows who is missing: the others wait for its word.
  const wait = rank === 0 ? patience : 1.25 * patience;
  const cancel = transport.clock.after(wait, () => {
    const whom = [...absent].join(", ");
    const text = `Rank ${rank} waited ${wait} ms for rank ${whom} to come to ${first}`;
    links.abort(new DistError(text, "deadline", { rank: [...absent][0] }));
  });
  try {
    if (rank > 0) await op.from(0).receive(table);
    else {
      writeAddress(table, 0, transport.address);
      await together(
        others.map(async (r) => {
          await links.outgoing(r, "main");
          writeAddress(table, r, links.addressOf?.(r) ?? "");
          absent.delete(r);
        }),
        (error) => error instanceof DistError && links.abort(error),
      );
      await together(
        others.map((r) => op.to(r).send(table)),
        (error) => error instanceof DistError && links.abort(error),
      );
    }
  } finally {
    cancel();
    await links.close();
  }
  return Array.from({ length: size }, (_, r) => readAddress(table, r));
}

function writeAddress(table: Uint8Array, rank: number, address: string): void {
  const bytes = new TextEncoder().encode(address);
  if (address === "" || bytes.length > LONGEST) {
    throw new DistError(`Cannot use "${address}" as the address of rank ${rank}`, "address", {
      rank,
    });
  }
  table.set(bytes, rank * LONGEST);
}

function readAddress(table: Uint8Array, rank: number): string {
  const bytes = table.subarray(rank * LONGEST, (rank + 1) * LONGEST), end = bytes.indexOf(0);
  return new TextDecoder().decode(bytes.subarray(0, end < 0 ? LONGEST : end));
}
