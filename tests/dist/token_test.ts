/** Tokens: how long they are good, and that what was overheard opens nothing. */
import { assert, assertEquals, assertMatch, assertNotEquals, assertThrows } from "@std/assert";
import { DistError } from "../../dist/error.ts";
import { joinGroup } from "../../dist/group/group.ts";
import { tcp } from "../../dist/net/tcp.ts";
import { simulate } from "../../dist/sim/simulation.ts";
import { openSockets } from "../../dist/transport/sockets.ts";
import { createToken, readToken, termRefusal } from "../../dist/transport/token_term.ts";
import { memberOf } from "./ranks.ts";

const NOON = Date.UTC(2026, 0, 1, 12), HOUR = 3_600_000;

Deno.test("token: says itself how long it is good; any other text has no end", () => {
  const text = createToken({ life: 3600, now: NOON }), token = readToken(text);
  assertEquals(token, { text, term: { made: NOON / 1000, life: 3600 } });
  assertNotEquals(createToken({ life: 3600, now: NOON }), text);
  assertEquals(readToken("a secret"), { text: "a secret", term: undefined });
  assertMatch(createToken(), /^[0-9a-f]{64}$/);
  for (const wrong of ["motian.", "motian.1.x.0123456789abcdef", "motian.1.1.short"]) {
    const { message } = assertThrows(() => readToken(wrong), RangeError, "must go on with when");
    assert(wrong === "motian." || !message.includes(wrong), "a token is nobody's to see");
  }
  for (const life of [0, 1.5, NaN, 1e12]) {
    assertThrows(() => createToken({ life }), RangeError, `for ${life} s: it must be`);
  }
});

Deno.test("token: clocks may differ by a minute, at both ends", () => {
  const { term } = readToken(createToken({ life: 3600, now: NOON }));
  const at = (seconds: number): string | undefined => termRefusal(term, NOON + 1000 * seconds);
  for (const good of [-60, 0, 3600, 3660]) assertEquals(at(good), undefined);
  assertEquals(
    at(3661),
    "it has expired: made at 2026-01-01T12:00:00Z for 3600 s, it is 2026-01-01T13:01:01Z here",
  );
  assertMatch(at(-61)!, /^it is not good yet: .* it is 2026-01-01T11:58:59Z here$/);
  assertEquals(termRefusal(undefined, NOON), undefined);
});

/** How two ranks with a token and a clock each come together: nothing, or why not. */
function meeting(
  [first, second]: readonly (readonly [token: string, wall: number])[],
): Promise<readonly (string | undefined)[]> {
  const simulation = simulate({ seed: 1 });
  return simulation.run(async () => {
    const doors = [first!, second!].map(([token, wall], host) =>
      openSockets(simulation.host(host), {
        ...{ hostname: `sim${host}`, port: 0, token, wall: () => wall },
      })
    );
    const found = await Promise.all(doors.map(async (door, rank) => {
      try {
        await joinGroup(door, memberOf(doors, rank), { deadline: 5000 });
        return undefined;
      } catch (error) {
        assert(error instanceof DistError);
        return `${error.failure}: ${error.message}`;
      }
    }));
    await Promise.all(doors.map((door) => door.close()));
    return found;
  });
}

Deno.test("token: one that has ended lets nobody in, and both times are said", async () => {
  const token = createToken({ life: 3600, now: NOON });
  const expired = /expired: made at 2026-01-01T12:00:00Z for 3600 s, it is 2026-01-01T14/;
  assertEquals(await meeting([[token, NOON], [token, NOON + HOUR]]), [undefined, undefined]);
  // Whose clock is late asks nobody any more, and lets nobody in.
  const [early, late] = await meeting([[token, NOON], [token, NOON + 2 * HOUR]]);
  assertMatch(late!, /refused: .*Cannot ask rank 0 at \S+ for a link by this rank's token: it has/);
  assertMatch(late!, expired);
  assertMatch(early!, expired);
});

Deno.test("token: another one is told from this one by its time", async () => {
  const tokens = [createToken({ life: 3600, now: NOON }), createToken({ life: 60, now: NOON })];
  const [, other] = await meeting([[tokens[0]!, NOON], [tokens[1]!, NOON]]);
  assertMatch(
    other!,
    /rank 1: it has another token, made at \S+ for 60 s; that of rank 0 was made at \S+ for 3600 s/,
  );
  const [, endless] = await meeting([[tokens[0]!, NOON], ["a secret", NOON]]);
  assertMatch(endless!, /another token, without an end; that of rank 0 was made at/);
  const [, secret] = await meeting([["another secret", NOON], ["a secret", NOON]]);
  assertMatch(secret!, /it has another token$/);
});

/** Passes one connection on to a port, and keeps what the caller says. */
function overhear(port: number): { readonly url: string; readonly heard: () => Uint8Array } {
  const bytes: number[] = [], hostname = "127.0.0.1";
  const listener = Deno.listen({ hostname, port: 0 });
  (async () => {
    for await (const caller of listener) {
      const other = await Deno.connect({ hostname, port });
      const keep = new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          bytes.push(...chunk);
          controller.enqueue(chunk);
        },
        flush: () => listener.close(),
      });
      caller.readable.pipeThrough(keep).pipeTo(other.writable).catch(() => {});
      other.readable.pipeTo(caller.writable).catch(() => {});
    }
  })().catch(() => {});
  const { port: own } = listener.addr as Deno.NetAddr;
  return { url: `ws://${hostname}:${own}`, heard: () => Uint8Array.from(bytes) };
}

Deno.test("token: a whole hello that was overheard opens nothing a second time", async () => {
  const place = { hostname: "127.0.0.1", port: 0, token: createToken({ life: 60 }) };
  const doors = [openSockets(tcp(), place), openSockets(tcp(), place)];
  const port = Number(new URL(doors[0]!.address).port), ear = overhear(port);
  // Rank 1 finds rank 0 where somebody listens.
  const addresses = [ear.url, doors[1]!.address];
  const groups = await Promise.all(
    doors.map((door, rank) => joinGroup(door, { ...memberOf(doors, rank), addresses })),
  );
  const heard = new TextDecoder().decode(ear.heard());
  const requests = heard.split("\r\n\r\n").filter((text) => text.startsWith("GET /motian"));
  assert(requests.length === 2 && requests[1]!.includes("Motian-Proof: "), heard);
  using again = await Deno.connect({ hostname: "127.0.0.1", port });
  const answers: string[] = [], room = new Uint8Array(4096);
  for (const request of requests) {
    await again.write(new TextEncoder().encode(request + "\r\n\r\n"));
    answers.push(new TextDecoder().decode(room.subarray(0, (await again.read(room))!)));
  }
  assertMatch(answers[0]!, /^HTTP\/1\.1 401 /);
  assertMatch(answers[1]!, /^HTTP\/1\.1 403 [^]*Cannot let in rank 1: it has another token/);
  // And harms nobody.
  const sums = await Promise.all(groups.map((group) => group.allReduce(Float32Array.of(1))));
  assertEquals(sums.map(([sum]) => sum), [2, 2]);
  await Promise.all(groups.map((group) => group.close()));
  await Promise.all(doors.map((door) => door.close()));
});
