import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import {
  type AnyTensor,
  fromArray,
  leaves,
  paths,
  read,
  sizesOf,
  type Tree,
} from "../../core/mod.ts";
import { reference } from "../../core/backends/reference/mod.ts";
import { InputError } from "../../recipes/cli/input_error.ts";
import {
  type Checkpointed,
  checkpointPath,
  latestCheckpoint,
  saveCheckpoint,
} from "../../recipes/run/checkpoint.ts";

type State = Checkpointed<Tree<AnyTensor>, Tree<AnyTensor>>;

/** A small state whose numbers depend on the step. */
function stateAt(step: number): State {
  const floats = (n: number): Float32Array =>
    Float32Array.from({ length: n }, (_, i) => Math.fround(step + i / 7));
  return {
    step,
    model: { layers: [{ w: fromArray(floats(6), [2, 3]), b: fromArray(floats(3), [3]) }] },
    optimizer: {
      count: fromArray(Int32Array.of(step), [], "i32"),
      half: fromArray(Uint16Array.of(0x3f80, 0x7fc0), [2], "bf16"),
      moments: [fromArray(Float32Array.of(NaN, -0, 1e-40), [3])],
    },
  };
}

/** Names, dtypes, shapes and bits of all tensors. */
async function contentOf({ step, model, optimizer }: State): Promise<unknown> {
  const found = [...paths({ model, optimizer } as Tree<AnyTensor>)];
  return [
    step,
    await Promise.all(found.map(async ([path, x]) => {
      const data = await read(x as Parameters<typeof read>[0]);
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      return [path, x.dtype, [...sizesOf(x)], [...bytes]];
    })),
  ];
}

/** Runs a test with a run's folder and a device. */
async function inRun(test: (run: string) => Promise<void>): Promise<void> {
  const run = await Deno.makeTempDir();
  try {
    await test(run);
  } finally {
    await Deno.remove(run, { recursive: true });
  }
}

const load = (run: string, like: State = stateAt(0)): Promise<State> =>
  latestCheckpoint(run, like, reference());

Deno.test("latestCheckpoint gives back every bit of the newest one", () =>
  inRun(async (run) => {
    for (const step of [9, 100, 20]) await saveCheckpoint(run, stateAt(step));
    const found = await load(run);
    assertEquals(await contentOf(found), await contentOf(stateAt(100)));
    assertEquals(leaves(found.model).length, 2);
    assertEquals(
      Array.from(Deno.readDirSync(checkpointPath(run, 100)), ({ name }) => name).sort(),
      ["model.safetensors", "optimizer.safetensors", "state.json"],
    );
    assertEquals(checkpointPath(run, 100), join(run, "checkpoints", "step-00000100"));
  }));

Deno.test("saveCheckpoint takes the place of one of the same step", () =>
  inRun(async (run) => {
    await saveCheckpoint(run, stateAt(5));
    await saveCheckpoint(run, { ...stateAt(6), step: 5 });
    assertEquals(await contentOf(await load(run)), await contentOf({ ...stateAt(6), step: 5 }));
  }));

Deno.test("what a process left that died while it wrote is not taken for a checkpoint, and goes away", () =>
  inRun(async (run) => {
    await saveCheckpoint(run, stateAt(5));
    const left = join(run, "checkpoints", "part-abc");
    await Deno.mkdir(left);
    await Deno.writeTextFile(join(left, "model.safetensors"), "half");
    assertEquals((await load(run)).step, 5);
    await saveCheckpoint(run, stateAt(6));
    const names = Array.from(Deno.readDirSync(join(run, "checkpoints")), ({ name }) => name);
    assertEquals(names.sort(), ["step-00000005", "step-00000006"]);
  }));

Deno.test("saveCheckpoint that fails leaves the checkpoints as they were", () =>
  inRun(async (run) => {
    await saveCheckpoint(run, stateAt(5));
    const broken = { ...stateAt(5), optimizer: { count: 3 as unknown as AnyTensor } };
    await assertRejects(() => saveCheckpoint(run, broken), TypeError, "Cannot write 'count'");
    assertEquals(await contentOf(await load(run)), await contentOf(stateAt(5)));
    assertEquals(Array.from(Deno.readDirSync(join(run, "checkpoints"))).length, 1);
  }));

Deno.test("latestCheckpoint refuses a run without one", () =>
  inRun(async (run) => {
    const message =
      `Cannot resume ${run}: it has no checkpoint; start a new run with another --out`;
    assertEquals((await assertRejects(() => load(run), InputError)).message, message);
    await Deno.mkdir(join(run, "checkpoints", "part-abc"), { recursive: true });
    assertEquals((await assertRejects(() => load(run), InputError)).message, message);
  }));

const model = "model.safetensors";
const breaks: readonly (readonly [
  what: string,
  file: string,
  spoil: (path: string) => Promise<void>,
  why: string,
])[] = [
  ["cut short", model, (path) => Deno.truncate(path, 100), "it was changed since it was written"],
  ["emptied", "optimizer.safetensors", (path) => Deno.truncate(path, 0), "it was changed"],
  ["one bit flipped", model, flipLastBit, "it was changed since it was written"],
  ["missing", model, (path) => Deno.remove(path), "no such file"],
  ["state missing", "state.json", (path) => Deno.remove(path), "No such file"],
  ["state cut short", "state.json", (path) => Deno.truncate(path, 5), "JSON"],
  [
    "state of something else",
    "state.json",
    (path) => Deno.writeTextFile(path, "[]"),
    "it must have step and sha256",
  ],
];

async function flipLastBit(path: string): Promise<void> {
  const bytes = await Deno.readFile(path);
  bytes[bytes.length - 1]! ^= 1;
  await Deno.writeFile(path, bytes);
}

for (const [what, file, spoil, why] of breaks) {
  Deno.test(`latestCheckpoint refuses a broken checkpoint: ${what}`, () =>
    inRun(async (run) => {
      await saveCheckpoint(run, stateAt(3));
      await saveCheckpoint(run, stateAt(7));
      const path = join(checkpointPath(run, 7), file);
      await spoil(path);
      const { message } = await assertRejects(() => load(run), InputError);
      assert(message.startsWith(`Cannot read the checkpoint ${path}: `), message);
      assert(message.includes(why), message);
      assert(message.endsWith("; remove this checkpoint's folder to go on from the one before"));
      assertEquals(message.includes("\n"), false);
      await Deno.remove(checkpointPath(run, 7), { recursive: true });
      assertEquals((await load(run)).step, 3, "the advice helps");
    }));
}

Deno.test("latestCheckpoint refuses the checkpoint of another model, and names the tensor", () =>
  inRun(async (run) => {
    await saveCheckpoint(run, stateAt(1));
    const like = stateAt(0);
    const cases: readonly (readonly [Tree<AnyTensor>, string])[] = [
      [{ layers: [{ w: fromArray([1, 2], [2]), b: fromArray([1, 2, 3], [3]) }] }, "'layers.0.w'"],
      [{ layers: [{ b: fromArray(Int32Array.of(1, 2, 3), [3], "i32") }] }, "'layers.0.b'"],
      [{ head: fromArray([1], [1]) }, "'head' must be f32 [1] (missing)"],
    ];
    for (const [other, why] of cases) {
      await assertRejects(() => load(run, { ...like, model: other }), InputError, why);
    }
  }));

Deno.test("latestCheckpoint refuses the checkpoint of a larger model", () =>
  inRun(async (run) => {
    const more = {
      ...stateAt(1),
      model: { ...stateAt(1).model as object, z: fromArray([1], [1]) },
    };
    await saveCheckpoint(run, more as State);
    await assertRejects(() => load(run), InputError, "'z'");
  }));
