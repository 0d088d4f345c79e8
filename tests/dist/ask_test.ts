/** Questions from process to process: whose answers count, and what becomes of an answerer's own errors. */
import { assert, assertEquals, assertInstanceOf, assertMatch, assertRejects } from "@std/assert";
import { DistError } from "../../dist/error.ts";
import { tcp } from "../../dist/net/tcp.ts";
import { sealed } from "../../dist/transport/seal.ts";
import { openSockets } from "../../dist/transport/sockets.ts";
import type { AskingTransport } from "../../dist/transport/transport.ts";

const here = { hostname: "127.0.0.1", port: 0 }, question = { job: "test", plan: 0, text: "news" };

/** Two doors; the second one answers. */
async function withTwo(
  token: string | undefined,
  use: (asker: AskingTransport, answerer: AskingTransport) => Promise<void>,
): Promise<void> {
  const place = { ...here, ...token !== undefined && { token } };
  const doors = [openSockets(tcp(), place), openSockets(tcp(), place)] as const;
  try {
    await use(...doors);
  } finally {
    await Promise.all(doors.map((door) => door.close()));
  }
}

/** Serves one connection. */
function impostor(serve: (conn: Deno.Conn) => Promise<void>) {
  const listener = Deno.listen(here), { port } = listener.addr as Deno.NetAddr;
  const served = listener.accept().then(async (conn) => {
    listener.close();
    await serve(conn).finally(() => conn.close());
  });
  return { address: `ws://${here.hostname}:${port}`, served };
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
async function heard(conn: Deno.Conn): Promise<string> {
  const room = new Uint8Array(16_384);
  return new TextDecoder().decode(room.subarray(0, await conn.read(room) ?? 0));
}

for (const token of [undefined, "of the run"]) {
  Deno.test(`ask: an answer, and a refusal, ${token ? "with" : "without"} a token`, () =>
    withTwo(token, async (asker, answerer) => {
      answerer.onQuestion(({ job, plan, text }) => {
        if (text === "news") return `${job} ${plan} has none`;
        throw new DistError("Cannot make sense of it", "corrupt");
      });
      assertEquals(await asker.ask(answerer.address, question), "test 0 has none");
      const odd = asker.ask(answerer.address, { ...question, text: "odd" });
      const { failure } = await assertRejects(() => odd, DistError, "answer: Cannot make sense");
      assertEquals(failure, "mismatch");
    }));
}

Deno.test("ask: with a token, who never knew it decides nothing", () =>
  withTwo("of the run", async (asker) => {
    for (const status of ["200 OK", "409 Conflict"]) {
      const { address, served } = impostor(async (conn) => {
        assertMatch(await heard(conn), /^GET \/motian /);
        const body = sealed("decided 7 forged");
        await conn.write(
          bytes(`HTTP/1.1 ${status}\r\nContent-Length: ${body.length}\r\n\r\n${body}`),
        );
      });
      const asked = asker.ask(address, question);
      const { failure } = await assertRejects(() => asked, DistError, "does not prove to know");
      assertEquals(failure, "refused");
      await served;
    }
  }));

Deno.test("ask: with a token, who passes a question on cannot change the answer", () =>
  withTwo("of the run", async (asker, answerer) => {
    answerer.onQuestion(() => "decided 1 true");
    let answer = "";
    const passing = (change: (text: string) => string) =>
      impostor(async (conn) => {
        using other = await Deno.connect({ ...here, port: Number(new URL(answerer.address).port) });
        // The hello, the challenge; the proof, the answer.
        for (let i = 0; i < 2; i++) {
          await other.write(bytes(await heard(conn)));
          answer = await heard(other);
          await conn.write(bytes(change(answer)));
        }
      });
    const honest = passing((text) => text);
    assertEquals(await asker.ask(honest.address, question), "decided 1 true");
    await honest.served;
    assert(answer.includes(sealed("decided 1 true")), answer);
    const liar = passing((text) =>
      text.replace(sealed("decided 1 true"), sealed("decided 7 fake"))
    );
    const asked = asker.ask(liar.address, question);
    await assertRejects(() => asked, DistError, "does not prove to know this run's token");
    await liar.served;
  }));

Deno.test("ask: an answerer's own error fails where it is, and the asker hears of it", () =>
  withTwo(undefined, async (asker, answerer) => {
    const errors: unknown[] = [];
    const hear = (event: ErrorEvent): void => {
      event.preventDefault();
      errors.push(event.error);
    };
    globalThis.addEventListener("error", hear);
    try {
      const wrong: readonly (readonly [() => string, string])[] = [
        [() => {
          throw new RangeError("Cannot count to three");
        }, "Cannot count to three"],
        [() => "沉默", "Cannot answer 2 characters: questions and answers are lines"],
        [() => "x".repeat(7000), "Cannot answer 7000 characters: "],
        [() => "two\nlines", "Cannot answer 9 characters: "],
      ];
      for (const [answer, message] of wrong) {
        answerer.onQuestion(answer);
        const asked = asker.ask(answerer.address, question);
        const told = await assertRejects(() => asked, DistError, "Cannot answer: it failed here");
        assertEquals(told.failure, "refused");
        const error = errors.pop();
        assertInstanceOf(error, RangeError);
        assert(error.message.startsWith(message), error.message);
      }
      assertEquals(errors, []);
    } finally {
      globalThis.removeEventListener("error", hear);
    }
  }));
