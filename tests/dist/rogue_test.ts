/** A peer that says hello as it should, and then sends what no rank sends: the group ends at its first message, and names it. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { realClock } from "../../dist/clock.ts";
import { DistError } from "../../dist/error.ts";
import { joinGroup } from "../../dist/group/group.ts";
import { HEADER, nameHash, sealHeader, writeHeader } from "../../dist/message/header.ts";
import type { ByteStream } from "../../dist/net/network.ts";
import { tcp } from "../../dist/net/tcp.ts";
import { fieldsOf, helloOf, PATH } from "../../dist/transport/hello.ts";
import { openSockets } from "../../dist/transport/sockets.ts";
import { Opcode, writeFrameHead } from "../../dist/ws/frame.ts";
import { createReader } from "../../dist/ws/reader.ts";
import { askUpgrade, serveUpgrade } from "../../dist/ws/upgrade.ts";
import { joined, pattern } from "./streams.ts";

const here = { hostname: "127.0.0.1", port: 0 }, network = tcp();

/** A frame of a server: not masked. */
function frame(body: Uint8Array, { last = true, opcode = Opcode.binary as number } = {}) {
  const head = new Uint8Array(14);
  const length = writeFrameHead(head, { last, opcode, length: body.length, mask: undefined });
  return joined(head.subarray(0, length), body);
}

/** The first message of a barrier of two, as rank 1 sends it, but for what is changed. */
function message(change: Readonly<Record<string, unknown>> = {}): Uint8Array {
  const head = new Uint8Array(HEADER);
  writeHeader(
    head,
    {
      ...{ operation: "barrier", type: "u8", reduction: "none", shape: [0], sequence: 0, part: 0 },
      ...{ job: nameHash("test"), generation: 1, group: nameHash(""), plan: 0, from: 1, to: 0 },
      ...{ bytes: 0, ...change },
    } as Parameters<typeof writeHeader>[1],
  );
  sealHeader(head, 0, new Uint8Array(0));
  return head;
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const other = bytes.slice();
  other[at]! ^= 1;
  return other;
}

/** Another version's header, whole in itself. */
function otherVersion(): Uint8Array {
  const bytes = message();
  bytes[3] = "9".charCodeAt(0);
  sealHeader(bytes, 0, new Uint8Array(0));
  return bytes;
}

/** What rank 0 of two makes of a rank 1 that does this with the link that it is asked for. */
async function failure(rogue: (stream: ByteStream, port: number) => Promise<void>) {
  const listener = network.listen(here), door = openSockets(network, here);
  const addresses = [door.address, `ws://127.0.0.1:${listener.port}`];
  const member = { job: "test", generation: 1, group: "", rank: 0, addresses, plan: 0 };
  const joining = joinGroup(door, member, { deadline: 60_000 }).then(
    () => undefined,
    (error) => error,
  );
  const stream = await listener.accept();
  await serveUpgrade(stream, createReader(stream, realClock), () => ({ status: 101 }));
  await rogue(stream, Number(new URL(door.address).port));
  const error: unknown = await joining;
  stream.close();
  listener.close();
  await door.close();
  assert(error instanceof DistError, String(error));
  assertEquals(error.rank, 1, error.message);
  assertEquals(error.message.split("\n").length, 1);
  return error;
}

async function write(stream: ByteStream, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await stream.write(bytes.subarray(at));
}

const whole = frame(message());
const sent:
  readonly (readonly [what: string, bytes: Uint8Array, failure: string, words: RegExp])[] = [
    [
      "65 MiB",
      joined([0x82, 127, 0, 0, 0, 0, 4, 16, 0, 0]),
      "corrupt",
      /of 68157440 bytes: at most/,
    ],
    ["a masked frame", joined([0x82, 0x81, 1, 2, 3, 4, 5]), "corrupt", /server must not mask/],
    ["reserved bits", joined([0xf2, 0]), "corrupt", /reserved bits/],
    ["a continuation of nothing", joined([0x80, 1, 0]), "corrupt", /no message has begun/],
    ["a short message", frame(pattern(20)), "corrupt", /the message has 20 left/],
    ["bytes behind a message", frame(joined(message(), [0])), "corrupt", /1 more bytes/],
    ["a header with one bit turned", frame(flipped(message(), 30)), "corrupt", /header is damaged/],
    ["another version's header", frame(otherVersion()), "mismatch", /protocol MTN9: this is MTN1/],
    [
      "another operation",
      frame(message({ operation: "broadcast" })),
      "mismatch",
      /rank 1 is at broadcast #0 .*this rank is at barrier #0/,
    ],
    [
      "another type",
      frame(message({ type: "f32" })),
      "mismatch",
      /with type f32, this rank is at barrier #0 with type u8/,
    ],
    [
      "another plan",
      frame(message({ plan: 7 })),
      "mismatch",
      /with plan 7, this rank is at barrier #0 with plan 0/,
    ],
  ];

for (const [what, bytes, kind, words] of sent) {
  Deno.test(`a rogue rank that sends ${what} is named at its first message`, async () => {
    const error = await failure((stream) => write(stream, bytes));
    assertEquals(error.failure, kind, error.message);
    assertMatch(error.message, words);
  });
}

Deno.test("a rogue rank that ends within a message is lost, and named", async () => {
  const error = await failure(async (stream) => {
    await write(stream, whole.subarray(0, 40));
    stream.close();
  });
  assertEquals(error.failure, "lost", error.message);
});

Deno.test("a rogue rank that asks for a link and sends on it is named, masked or not", async () => {
  for (
    const [bytes, words] of [
      [frame(pattern(3)), /a client must mask/],
      [joined([0x82, 0x83, 0, 0, 0, 0, 1, 2, 3]), /Cannot read a message of 3 bytes: at most 0/],
    ] as const
  ) {
    const error = await failure(async (_, port) => {
      const stream = await network.connect({ ...here, port });
      const addresses = ["ws://127.0.0.1:1", "ws://127.0.0.1:2"];
      const member = { job: "test", generation: 1, group: "", rank: 1, addresses, plan: 0 };
      const fields = fieldsOf(helloOf(member, 0, "main"));
      const request = { host: "x", path: PATH, fields };
      const { status } = await askUpgrade(stream, createReader(stream, realClock), request);
      assertEquals(status, 101);
      await write(stream, bytes);
    });
    assertEquals(error.failure, "corrupt", error.message);
    assertMatch(error.message, words);
  }
});
