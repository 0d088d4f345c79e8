/**
 * Sending and receiving the messages of one operation over a link, each checked against what this rank expects.
 *
 * @module
 */
import { DistError } from "../error.ts";
import type { Incoming, Outgoing } from "../transport/transport.ts";
import { fits, HEADER, type Header, readHeader, sealHeader, writeHeader } from "./header.ts";

/** What all messages of an operation have in common. */
export type Subject = Omit<Header, "part" | "from" | "to" | "bytes">;

/** Sends messages of one operation to one rank, numbered from 0. */
export interface PartSender {
  /** Resolves when the link has taken all of it; the bytes may then change. */
  send(body: Uint8Array): Promise<void>;
}

/** Receives messages of one operation from one rank. */
export interface PartReceiver {
  /** Waits for the next message, whose bytes must fill `into`. @throws DistError */
  receive(into: Uint8Array): Promise<void>;
}

/** Sends messages about `subject` over a link. */
export function partSender(link: Outgoing, subject: Subject): PartSender {
  const head = new Uint8Array(HEADER);
  let part = 0;
  writeHeader(head, { ...subject, part, from: link.from, to: link.to, bytes: 0 });
  return {
    send(body) {
      sealHeader(head, part++, body);
      return link.send(head, body);
    },
  };
}

/** Receives messages about `subject` over a link. */
export function partReceiver(link: Incoming, subject: Subject): PartReceiver {
  const head = new Uint8Array(HEADER);
  let part = 0;
  return {
    async receive(into) {
      await link.receive(head);
      const expected = { ...subject, part: part++, from: link.from, to: link.to, bytes: 0 };
      check(head, { ...expected, bytes: into.length }, link.from);
      await link.body(into);
      if (fits(head, into)) return;
      throw new DistError(
        `Cannot use ${into.length} bytes of ${subject.operation} #${subject.sequence} from rank ${link.from}: they are damaged, their CRC32 differs`,
        "corrupt",
        { rank: link.from },
      );
    },
  };
}

/** What is compared, from what tells most to what follows from it. */
const fields = [
  "job",
  "generation",
  "group",
  "plan",
  "sequence",
  "operation",
  "reduction",
  "type",
  "shape",
  "part",
  "from",
  "to",
  "bytes",
] as const satisfies readonly (keyof Header)[];

/** @throws DistError unless the message is the one that is expected */
function check(head: Uint8Array, expected: Header, rank: number): void {
  let found: Header;
  try {
    found = readHeader(head);
  } catch (error) {
    if (!(error instanceof DistError)) throw error;
    throw new DistError(`${error.message} (from rank ${rank})`, error.failure, { rank });
  }
  const differs = fields.find((field) => text(found[field]) !== text(expected[field]));
  if (!differs) return;
  const side = (who: string, h: Header): string =>
    `${who} is at ${h.operation} #${h.sequence} with ${differs} ${text(h[differs])}`;
  throw new DistError(
    `Cannot go on with rank ${rank}: ${side(`rank ${rank}`, found)}, ${
      side("this rank", expected)
    }`,
    "mismatch",
    { rank },
  );
}

function text(value: Header[keyof Header]): string {
  return typeof value === "object" ? `[${value.join(", ")}]` : String(value);
}
