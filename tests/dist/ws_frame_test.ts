import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  applyMask,
  FrameError,
  frameHeadLength,
  LONGEST_CONTROL,
  LONGEST_HEAD,
  Opcode,
  readFrameHead,
  writeFrameHead,
} from "../../dist/ws/frame.ts";
import { EndError } from "../../dist/ws/reader.ts";
import { joined, pattern, socketOf } from "./streams.ts";
import { fc } from "../property.ts";

const masks = fc.option(fc.uint8Array({ minLength: 4, maxLength: 4 }), { nil: undefined });

/** A whole frame. */
function frame(
  opcode: number,
  body: Uint8Array,
  { last = true, mask = undefined as Uint8Array | undefined } = {},
): Uint8Array {
  const head = new Uint8Array(LONGEST_HEAD);
  const length = writeFrameHead(head, { last, opcode, length: body.length, mask });
  const bytes = body.slice();
  if (mask) applyMask(bytes, mask, 0);
  return joined(head.subarray(0, length), bytes);
}

Deno.test("frames: a head that was written is read", () => {
  const opcodes = fc.constantFrom(...Object.values(Opcode));
  const lengths = fc.oneof(
    fc.integer({ min: 0, max: 2 ** 18 }),
    fc.maxSafeNat(),
    fc.constantFrom(125, 126, 127, 65535, 65536, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1),
  );
  fc.assert(fc.property(opcodes, lengths, fc.boolean(), masks, (opcode, any, end, mask) => {
    const isControl = opcode >= Opcode.close;
    const length = isControl ? any % (LONGEST_CONTROL + 1) : any, last = isControl || end;
    const bytes = new Uint8Array(LONGEST_HEAD);
    const size = writeFrameHead(bytes, { last, opcode, length, mask });
    assertEquals(frameHeadLength(bytes[1]!), size);
    assertEquals(readFrameHead(bytes.subarray(0, size)), { last, opcode, length, mask });
  }));
});

Deno.test("frames: masking in pieces is masking at once, and twice is not at all", () => {
  const key = fc.uint8Array({ minLength: 4, maxLength: 4 });
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 70 }),
      key,
      fc.nat(70),
      fc.nat(3),
      (body, mask, cut, off) => {
        const plain = body.map((byte, i) => byte ^ mask[i & 3]!);
        const memory = new Uint8Array(80), bytes = memory.subarray(off, off + body.length);
        bytes.set(body);
        applyMask(bytes.subarray(0, cut), mask, 0);
        applyMask(bytes.subarray(cut), mask, Math.min(cut, body.length));
        assertEquals([...bytes], [...plain]);
        applyMask(bytes, mask, 0);
        assertEquals([...bytes], [...body]);
        assert(memory.subarray(off + body.length).every((byte) => byte === 0));
      },
    ),
  );
});

/** What no peer may send to a client: why, the bytes, the close code. */
const refused: readonly (readonly [string, Uint8Array, number, RegExp])[] = [
  ["a reserved bit", joined([0xc2, 0]), 1002, /reserved bits/],
  ["a reserved opcode", joined([0x83, 0]), 1002, /opcode 3/],
  ["a reserved control opcode", joined([0x8b, 0]), 1002, /opcode 11/],
  ["a fragmented ping", joined([0x09, 0]), 1002, /in fragments/],
  ["a long ping", joined([0x89, 126, 0, 126], pattern(126)), 1002, /126 bytes/],
  ["a length of 16 bits that fits 7", joined([0x82, 126, 0, 5], pattern(5)), 1002, /too long/],
  [
    "a length of 64 bits that fits 16",
    joined([0x82, 127, 0, 0, 0, 0, 0, 0, 1, 0], pattern(256)),
    1002,
    /too long/,
  ],
  ["a length of 2^63", joined([0x82, 127, 128, 0, 0, 0, 0, 0, 0, 0]), 1009, /2\^53/],
  ["masked bytes from a server", joined([0x82, 0x81, 1, 2, 3, 4, 5]), 1002, /masked/],
  ["a continuation of nothing", frame(Opcode.continuation, pattern(3)), 1002, /no message/],
  [
    "a message within a message",
    joined(frame(Opcode.binary, pattern(3), { last: false }), frame(Opcode.binary, pattern(3))),
    1002,
    /has not ended/,
  ],
  ["a message over the limit", frame(Opcode.binary, pattern(1001)), 1009, /at most 1000/],
  [
    "fragments over the limit together",
    joined(
      frame(Opcode.binary, pattern(600), { last: false }),
      frame(Opcode.continuation, pattern(600)),
    ),
    1009,
    /at most 1000/,
  ],
  [
    "more fragments than anybody needs",
    joined(
      frame(Opcode.binary, pattern(0), { last: false }),
      ...Array.from({ length: 4097 }, () => [0x00, 0]),
    ),
    1009,
    /frames/,
  ],
  ["half a close code", joined([0x88, 1, 3]), 1002, /1 byte/],
  ["a close code that is not for the wire", joined([0x88, 2, 3, 0xee]), 1002, /code 1006/],
  ["a close reason that is no UTF-8", joined([0x88, 3, 3, 0xe8, 0xff]), 1002, /UTF-8/],
];

for (const [what, bytes, code, words] of refused) {
  Deno.test(`frames: refuses ${what}`, async () => {
    for (const piece of [1, bytes.length]) {
      const { socket } = socketOf(bytes, { limit: 1000, piece });
      const error = await assertRejects(async () => {
        await socket.begin();
        await socket.rest();
      }, FrameError);
      assertEquals(error.code, code);
      assert(words.test(error.message), error.message);
    }
  });
}

Deno.test("frames: refuses what a client sends unmasked", async () => {
  const { socket } = socketOf(frame(Opcode.binary, pattern(3)), { role: "server" });
  await assertRejects(() => socket.begin(), FrameError, "a client must mask");
});

Deno.test("frames: a message over the limit is refused before a byte of it is read", async () => {
  const { socket } = socketOf(joined([0x82, 127, 0, 0, 1, 0, 0, 0, 0, 0]));
  await assertRejects(() => socket.begin(), FrameError, "1099511627776 bytes");
});

Deno.test("frames: a stream that ends anywhere within a message is an error", async () => {
  const whole = joined(
    frame(Opcode.binary, pattern(200), { last: false }),
    frame(Opcode.ping, pattern(3)),
    frame(Opcode.continuation, pattern(300)),
  );
  for (let length = 0; length < whole.length; length += 7) {
    const { socket } = socketOf(whole.subarray(0, length));
    await assertRejects(async () => {
      await socket.begin();
      await socket.rest();
    }, EndError);
  }
});

Deno.test("frames: asking for more or fewer bytes than a message has is an error", async () => {
  const { socket } = socketOf(frame(Opcode.binary, pattern(10)));
  assert(await socket.begin());
  await socket.read(new Uint8Array(4));
  await assertRejects(() => socket.end(), FrameError, "6 more bytes");
  await assertRejects(() => socket.read(new Uint8Array(7)), FrameError, "has 6 left");
});

Deno.test("frames: any fragments in any pieces with pings between are one message", async () => {
  const parts = fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 6 });
  const roles = fc.constantFrom("client" as const, "server" as const);
  const property = fc.asyncProperty(
    parts,
    roles,
    fc.integer({ min: 1, max: 400 }),
    fc.boolean(),
    async (parts, role, piece, pings) => {
      const mask = role === "server" ? Uint8Array.of(9, 8, 7, 6) : undefined;
      const bytes = joined(...parts.flatMap((part, i) => [
        frame(i ? Opcode.continuation : Opcode.binary, part, {
          last: i === parts.length - 1,
          mask,
        }),
        pings ? frame(Opcode.ping, part.subarray(0, 20), { mask }) : new Uint8Array(0),
      ]));
      const { socket, written } = socketOf(bytes, { role, piece });
      assert(await socket.begin());
      assertEquals(await socket.rest(), joined(...parts) as Uint8Array<ArrayBuffer>);
      // Of pings that wait together one is answered; the one behind the message nobody has read yet.
      assertEquals(written().length > 0, pings && parts.length > 1);
    },
  );
  await fc.assert(property, { numRuns: 60 });
});
