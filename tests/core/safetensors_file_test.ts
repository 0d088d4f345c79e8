/** Safetensors files on disk: round trips, whole or absent, beyond 4 GiB. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { join, toFileUrl } from "@std/path";
import fc from "npm:fast-check@4.10.2";
import {
  add,
  type AnyTensor,
  dispose,
  type DType,
  fromArray,
  read,
  readSafetensors,
  SafetensorsError,
  sizesOf,
  tensor,
  transpose,
  type Tree,
  writeSafetensors,
  zeros,
} from "../../core/mod.ts";
import { bytesOfFile, hostBytes } from "./safetensors_bytes.ts";
import { inFolder } from "../in_folder.ts";

const namesIn = (folder: string): string[] => [...Deno.readDirSync(folder)].map((f) => f.name);

Deno.test("safetensors: any tensors of any dtype come back to the bit", async () => {
  const dtypes: readonly DType[] = ["f32", "f16", "bf16", "i32", "u32", "bool"];
  const shapes = fc.array(fc.nat(4), { maxLength: 4 });
  const drawn = fc.record({ dtype: fc.constantFrom(...dtypes), shape: shapes, seed: fc.nat() });
  const names = fc.string({ maxLength: 8, unit: "binary" }).filter((name) =>
    name !== "__metadata__" && name.isWellFormed()
  );
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.tuple(names, drawn), { selector: ([name]) => name, maxLength: 6 }),
      fc.dictionary(names, fc.string(), { maxKeys: 3 }),
      async (list, metadata) => {
        const tensors = new Map(list.map(([name, { dtype, shape, seed }]) => {
          const size = shape.reduce((a, b) => a * b, 1);
          const values = Array.from({ length: size }, (_, i) => Math.sin(seed + i) * 10 ** (i % 7));
          return [name, fromArray(values, shape, dtype) as AnyTensor] as const;
        }));
        const bytes = await bytesOfFile(Object.fromEntries(tensors), metadata);
        await using file = await readSafetensors(new Blob([bytes]));
        assertEquals({ ...file.metadata }, { ...metadata });
        assertEquals(new Set(file.entries.keys()), new Set(tensors.keys()));
        for (const [name, x] of tensors) {
          const y = await file.read(name);
          assertEquals([y.dtype, sizesOf(y)], [x.dtype, sizesOf(x)]);
          assertEquals(await hostBytes(y), await hostBytes(x));
          assertEquals(await file.bytes(name), await hostBytes(x));
        }
      },
    ),
    { numRuns: 60, seed: 5 },
  );
});

Deno.test("safetensors: a tree is written under its paths, aligned, views and results too", () =>
  inFolder(async (folder) => {
    const path = join(folder, "model.safetensors"), x = tensor([[1, 2], [3, 4]]);
    const model = { flags: tensor([1], "bool"), layers: [{ w: transpose(x) }, { w: add(x, 1) }] };
    await writeSafetensors(path, model as Tree<AnyTensor>, { made: "here" });
    assertEquals(namesIn(folder), ["model.safetensors"]);
    await using file = await readSafetensors(toFileUrl(path));
    assertEquals([...file.entries.keys()], ["layers.0.w", "layers.1.w", "flags"]);
    assertEquals([...await read(await file.read("layers.0.w"))], [1, 3, 2, 4]);
    assertEquals([...await read(await file.read("layers.1.w"))], [2, 3, 4, 5]);
    const header = Number(new DataView((await Deno.readFile(path)).buffer).getBigUint64(0, true));
    assertEquals(header % 8, 0);
    const read2 = await Promise.all([...file.entries.keys()].map((name) => file.read(name)));
    assertEquals(read2.map((t) => sizesOf(t).length), [2, 2, 1]);
  }));

Deno.test("safetensors: a file that cannot be written leaves the old one and nothing else", () =>
  inFolder(async (folder) => {
    const path = join(folder, "model.safetensors");
    await writeSafetensors(path, { w: tensor([1]) });
    const old = await Deno.readFile(path), bad = { w: tensor([2]), x: 5 as unknown as AnyTensor };
    const error = await assertRejects(() => writeSafetensors(path, bad), SafetensorsError);
    assertMatch(error.message, /^Cannot write 'x': it must be a tensor \(number\)$/);
    const twice = { "a.b": tensor([1]), a: { b: tensor([2]) } };
    await assertRejects(() => writeSafetensors(path, twice), SafetensorsError, "names must differ");
    const own = { __metadata__: tensor([1]) };
    await assertRejects(() => writeSafetensors(path, own), SafetensorsError, "the format owns");
    const gone = add(tensor([1]), 1);
    dispose(gone);
    await assertRejects(() => writeSafetensors(path, { w: gone }), TypeError, "disposed");
    assertEquals(namesIn(folder), ["model.safetensors"]);
    assertEquals(await Deno.readFile(path), old);
    await Deno.mkdir(join(folder, "taken"));
    await assertRejects(() => writeSafetensors(join(folder, "taken"), { w: tensor([1]) }));
    assertEquals(namesIn(folder).sort(), ["model.safetensors", "taken"]);
  }));

Deno.test("safetensors: a missing file, and one that shrinks after it was opened", () =>
  inFolder(async (folder) => {
    const path = join(folder, "model.safetensors");
    await assertRejects(() => readSafetensors(path), Error, "no such file");
    await writeSafetensors(path, { w: zeros([1000]) });
    await using file = await readSafetensors(path);
    await Deno.truncate(path, 500);
    const error = await assertRejects(() => file.read("w"), SafetensorsError);
    assert(error.message.startsWith(`Cannot read ${path}: it ends before byte `), error.message);
  }));

Deno.test("safetensors: tensors beyond 4 GiB are read where they stand", () =>
  inFolder(async (folder) => {
    const path = join(folder, "huge.safetensors"), huge = 5 * 2 ** 30;
    const header = new TextEncoder().encode(JSON.stringify({
      huge: { dtype: "U8", shape: [5, 2 ** 30], data_offsets: [0, huge] },
      last: { dtype: "F32", shape: [2], data_offsets: [huge, huge + 8] },
    }));
    {
      using sparse = await Deno.open(path, { write: true, createNew: true });
      const length = new DataView(new ArrayBuffer(8));
      length.setBigUint64(0, BigInt(header.length), true);
      await sparse.write(new Uint8Array(length.buffer));
      await sparse.write(header);
      await sparse.truncate(8 + header.length + huge + 8);
      await sparse.seek(8 + header.length + huge, Deno.SeekMode.Start);
      await sparse.write(new Uint8Array(Float32Array.of(1.5, -2).buffer));
    }
    await using file = await readSafetensors(path);
    assertEquals([...await read(await file.read("last"))], [1.5, -2]);
    assertEquals(file.entries.get("huge")?.bytes, huge);
    await Deno.truncate(path, 8 + header.length + huge + 7);
    await assertRejects(() => readSafetensors(path), SafetensorsError, "must fill the 5368709127");
  }));

Deno.test("safetensors: a stream that is closed early ends the writing", async () => {
  const full = new WritableStream<Uint8Array>({
    write(): void {
      throw new RangeError("Full");
    },
  });
  await assertRejects(() => writeSafetensors(full, { w: tensor([1, 2]) }), RangeError, "Full");
});
