/** A link's ends where it is ended while somebody reads, or asks to. */
import { assertEquals, assertRejects } from "@std/assert";
import { DistError } from "../../dist/error.ts";
import { incomingEnd } from "../../dist/transport/link.ts";
import type { Socket } from "../../dist/ws/socket.ts";

/** A socket with one message, which notes how many read it at once at most. */
function watched() {
  let readers = 0, most = 0, messages = 1;
  const gate = Promise.withResolvers<void>();
  async function reading(): Promise<void> {
    most = Math.max(most, ++readers);
    await gate.promise;
    readers--;
  }
  const socket = {
    farewell: { code: 1000, reason: "" },
    begin: () => Promise.resolve(messages-- > 0),
    read: reading,
    end: () => Promise.resolve(),
    drain: reading,
  } as unknown as Socket;
  return { socket, open: gate.resolve, most: () => most };
}

const verdict = new DistError("Lost rank 1", "lost", { rank: 1 });
const events = { onFarewell: () => {}, onFault: () => Promise.resolve(verdict) };
const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

Deno.test("a link that ends: who asks for a message afterwards gets its failure, and nobody reads beside the drain", async () => {
  const { socket, open, most } = watched();
  const { side, finish } = incomingEnd(socket, { from: 1, to: 0 }, events);
  await turn();
  const finished = finish();
  await assertRejects(() => side.receive(new Uint8Array(4)), DistError, "Lost rank 1");
  open();
  await finished;
  assertEquals(most(), 1);
});

Deno.test("a link that ends while a message is asked for: it is read, and not drained too", async () => {
  const { socket, open, most } = watched();
  const { side, finish } = incomingEnd(socket, { from: 1, to: 0 }, events);
  await turn();
  const received = side.receive(new Uint8Array(4)).then(() => side.body(new Uint8Array(4)));
  const finished = finish();
  open();
  await received;
  await finished;
  assertEquals(most(), 1);
});
