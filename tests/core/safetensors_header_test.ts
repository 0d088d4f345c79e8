/** What a safetensors file may say: every broken header is refused in one line, every changed byte found or harmless. */
import { assert, assertEquals, assertInstanceOf, assertMatch, assertRejects } from "@std/assert";
import fc from "npm:fast-check@4.10.2";
import {
  type AnyTensor,
  read,
  readSafetensors,
  SafetensorsError,
  tensor,
  zeros,
} from "../../core/mod.ts";
import { bytesOfFile, hostBytes } from "./safetensors_bytes.ts";

/** A file of this header and so many bytes of data. */
function fileOf(header: string | Uint8Array, data = 0, length?: bigint): Blob {
  const json = typeof header === "string" ? new TextEncoder().encode(header) : header;
  const size = new DataView(new ArrayBuffer(8));
  size.setBigUint64(0, length ?? BigInt(json.length), true);
  return new Blob([size, new Uint8Array(json), new Uint8Array(data)]);
}
const entry = (dtype: string, shape: string, offsets: string): string =>
  `{"dtype":"${dtype}","shape":${shape},"data_offsets":${offsets}}`;
const one = (e: string): string => `{"w":${e}}`;
const f32x2 = entry("F32", "[2]", "[0,8]");

const broken: readonly (readonly [what: string, file: Blob, message: RegExp])[] = [
  ["nothing", new Blob([]), /must have 8 bytes or more \(0\)/],
  ["too short", new Blob([new Uint8Array(7)]), /must have 8 bytes or more \(7\)/],
  [
    "a header beyond the file",
    fileOf("{}", 0, 3n),
    /header of 3 bytes must fit into the file's 10/,
  ],
  ["a header over the cap", fileOf("{}", 0, 100_000_001n), /at most 100000000 bytes \(100000001\)/],
  ["a huge header", fileOf("{}", 0, 2n ** 64n - 1n), /at most 100000000 bytes/],
  ["no header", fileOf(""), /must be JSON/],
  ["no JSON", fileOf("{\n\n]"), /must be JSON/],
  ["no UTF-8", fileOf(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d)), /must be JSON/],
  ["deep nesting", fileOf("[".repeat(1e6)), /must be JSON/],
  ["a list", fileOf("[]"), /must be a JSON object/],
  ["null", fileOf("null"), /must be a JSON object/],
  ["space in front", fileOf(" {}"), /must be a JSON object/],
  ["a name twice", fileOf(`{"w":${f32x2},"w":${f32x2}}`, 8), /must name "w" once/],
  ["a name twice, once escaped", fileOf(`{"w":${f32x2},"\\u0077":${f32x2}}`, 8), /once/],
  ["a key twice", fileOf(one(f32x2.replace("{", '{"dtype":"I32",')), 8), /must name "dtype" once/],
  ["metadata of numbers", fileOf('{"__metadata__":{"a":1}}'), /__metadata__ must map strings to/],
  ["metadata of null", fileOf('{"__metadata__":null}'), /__metadata__ must map strings to strings/],
  ["an entry that is no object", fileOf('{"w":[1]}'), /'w' must be an object/],
  ["an unknown dtype", fileOf(one(entry("F31", "[2]", "[0,8]")), 8), /known dtype \("F31"\)/],
  ["an inherited dtype", fileOf(one(entry("toString", "[2]", "[0,8]")), 8), /known dtype/],
  ["no dtype", fileOf('{"w":{"shape":[],"data_offsets":[0,4]}}', 4), /known dtype/],
  ["a shape that is no list", fileOf(one(entry("F32", "2", "[0,8]")), 8), /shape of whole numbers/],
  ["a negative size", fileOf(one(entry("F32", "[-2]", "[0,8]")), 8), /shape of whole numbers/],
  ["half a size", fileOf(one(entry("F32", "[0.5]", "[0,2]")), 2), /shape of whole numbers/],
  ["an unsafe size", fileOf(one(entry("F32", "[1e300]", "[0,8]")), 8), /shape of whole numbers/],
  ["an overflowing shape", fileOf(one(entry("F32", "[9e15,9e15,9e15]", "[0,8]")), 8), /must have/],
  ["no offsets", fileOf('{"w":{"dtype":"F32","shape":[2]}}', 8), /two offsets in order/],
  ["three offsets", fileOf(one(entry("F32", "[2]", "[0,8,8]")), 8), /two offsets in order/],
  ["offsets in disorder", fileOf(one(entry("F32", "[2]", "[8,0]")), 8), /two offsets in order/],
  ["a negative offset", fileOf(one(entry("F32", "[2]", "[-8,0]")), 8), /two offsets in order/],
  ["too few bytes", fileOf(one(entry("F32", "[2]", "[0,7]")), 7), /must have 8 bytes \(7\)/],
  ["too many bytes", fileOf(one(entry("F32", "[]", "[0,8]")), 8), /must have 4 bytes \(8\)/],
  ["data beyond the file", fileOf(one(f32x2), 7), /must fill the 7 bytes of data \(8\)/],
  ["data after the last tensor", fileOf(one(f32x2), 9), /must fill the 9 bytes of data \(8\)/],
  ["a hole in front", fileOf(one(entry("F32", "[2]", "[4,12]")), 12), /must not leave a hole/],
  [
    "a hole between",
    fileOf(`{"a":${f32x2},"b":${entry("U8", "[1]", "[9,10]")}}`, 10),
    /bytes of 'b' must not leave a hole before it \(they start at 9, not at 8\)/,
  ],
  [
    "an overlap",
    fileOf(`{"a":${f32x2},"b":${entry("U8", "[1]", "[7,8]")}}`, 8),
    /bytes of 'b' must not overlap another tensor/,
  ],
  ["the same bytes twice", fileOf(`{"a":${f32x2},"b":${f32x2}}`, 8), /must not overlap/],
  ["a name of two lines", fileOf('{"a\\nb":1}'), /'a b' must be an object/],
];

for (const [what, file, message] of broken) {
  Deno.test(`safetensors: refuses ${what}`, async () => {
    const error = await assertRejects(() => readSafetensors(file), SafetensorsError);
    assertMatch(error.message, message);
    assertMatch(error.message, /^Cannot read the bytes: [^\n\r]+$/);
    assertInstanceOf(error, TypeError);
    assertEquals(error.name, "SafetensorsError");
  });
}

Deno.test("safetensors: accepts what the format allows", async () => {
  const header = `{"z":${entry("F32", "[0,5]", "[4,4]")},"n":${entry("I64", "[1]", "[4,12]")},` +
    `"__proto__":${entry("F32", "[]", "[0,4]")}, "__metadata__":{"{}":"{\\"w\\":"}}   `;
  await using file = await readSafetensors(fileOf(header, 12));
  assertEquals(file.metadata, { "{}": '{"w":' });
  assertEquals([...file.entries.keys()], ["__proto__", "z", "n"]);
  assertEquals([...await read(await file.read("__proto__"))], [0]);
  assertEquals((await read(await file.read("z"))).length, 0);
  assertEquals(file.entries.get("n")?.dtype, undefined);
  const refused = await assertRejects(() => file.read("n"), SafetensorsError);
  assertMatch(refused.message, /'n' of the bytes: I64 must be converted to F32, F16, BF16, I32/);
  const absent = await assertRejects(() => file.read("toString"), SafetensorsError);
  assertMatch(absent.message, /'toString': the bytes has no such tensor/);
});

const sample: Readonly<Record<string, AnyTensor>> = {
  "layer.w": tensor([[1, -2], [0.5, 8], [3, 4]]),
  "layer.b": tensor([10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120], "i32"),
  half: tensor([1.5, NaN], "bf16"),
  flags: tensor([1, 0, 1], "bool"),
  none: zeros([0, 3]),
};

/**
 * Nothing, if the changed bytes are refused in one line; else asserts that they are harmless: the tensors have the very bytes
 * that they had, whatever they are called now.
 */
async function foundOrHarmless(changed: Uint8Array, ranges: Set<string>): Promise<boolean> {
  try {
    await using file = await readSafetensors(new Blob([new Uint8Array(changed)]));
    const now = [...file.entries.values()];
    assertEquals(new Set(now.map(({ start, bytes }) => `${start} ${bytes}`)), ranges);
    for (const { name, dtype, start, bytes } of now) {
      if (!dtype || dtype === "bool") continue;
      const from = changed.length - [...ranges].reduce((n, r) => n + Number(r.split(" ")[1]), 0);
      assertEquals(
        await hostBytes(await file.read(name)),
        changed.slice(from + start, from + start + bytes),
      );
    }
    return false;
  } catch (error) {
    assertInstanceOf(error, SafetensorsError);
    assertMatch(error.message, /^Cannot read [^\n\r]+$/);
    return true;
  }
}

Deno.test("safetensors: every changed byte of the header is found or harmless", async () => {
  const whole = await bytesOfFile(sample, { step: "7" });
  const length = 8 + Number(new DataView(whole.buffer).getBigUint64(0, true));
  await using file = await readSafetensors(new Blob([whole]));
  const ranges = new Set([...file.entries.values()].map((e) => `${e.start} ${e.bytes}`));
  let [refused, harmless] = [0, 0];
  for (let at = 0; at < length; at++) {
    const flips = Array.from({ length: 8 }, (_, bit) => whole[at]! ^ (1 << bit));
    const others = [...'019[]{},:" \\-.eFIU'].map((c) => c.charCodeAt(0));
    for (const byte of new Set([...flips, ...others, 0, 0xff])) {
      if (byte === whole[at]) continue;
      const changed = whole.slice();
      changed[at] = byte;
      if (await foundOrHarmless(changed, ranges)) refused++;
      else harmless++;
    }
  }
  // What is harmless: letters of names and metadata, F32 for I32, sizes of what has no elements, spaces.
  assert(refused > 2 * harmless && harmless > 0, `${refused} refused, ${harmless} harmless`);
});

Deno.test("safetensors: a file cut or grown anywhere is found", async () => {
  const whole = await bytesOfFile(sample);
  for (let length = 0; length < whole.length; length++) {
    await assertRejects(
      () => readSafetensors(new Blob([whole.slice(0, length)])),
      SafetensorsError,
    );
  }
  await assertRejects(
    () => readSafetensors(new Blob([whole, new Uint8Array(1)])),
    SafetensorsError,
  );
});

Deno.test("safetensors: bytes of any kind are refused or read, nothing else", async () => {
  const json = fc.json({ maxDepth: 3 }).map((text) => new TextEncoder().encode(text));
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.uint8Array({ maxLength: 60 }), json), fc.nat(9), async (b, n) => {
      try {
        await (await readSafetensors(fileOf(b, n)))[Symbol.asyncDispose]();
      } catch (error) {
        assertInstanceOf(error, SafetensorsError);
      }
    }),
    { numRuns: 500, seed: 11 },
  );
});
