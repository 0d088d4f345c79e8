/**
 * Every op of the library, drawn by its law, computed by ONNX Runtime.
 *
 * @module
 */
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { fc } from "../property.ts";
import {
  add,
  type AnyTensor,
  concat,
  cumsum,
  expandDims,
  flip,
  fromArray,
  mean,
  mul,
  pad,
  paths,
  read,
  reshape,
  sizesOf,
  slice,
  softmax,
  sort,
  type Tensor,
  variance,
} from "../../core/mod.ts";
import { fromHost } from "../../core/dtype.ts";
import { exportFunction } from "../../recipes/onnx/export_function.ts";
import { loadLaws } from "../core/laws/load.ts";
import { type Numbers as Drawn, type Sample, sampleOf } from "../core/laws/sample.ts";
import { skip } from "../skip.ts";
import { fileOf, type Numbers, runtimes } from "./onnx_runtime.ts";

const RUNS = 3;
/** What works on the bits of numbers, or on words without a sign: runtimes have neither. */
const REFUSED = [
  "argmax",
  "argmin",
  "argsort",
  "bitcast",
  "isFinite",
  "isInfinite",
  "isNaN",
  "pow",
  "shiftLeft",
  "shiftRight",
  "sort",
  "topK",
];
const TOLERANCE = 1e-4;

type Function = (...xs: AnyTensor[]) => Readonly<Record<string, AnyTensor>>;

/** May the inputs be inputs of a file? f16, bf16 and u32 are none of its types. */
const areTaken = ({ inputs }: Sample): boolean =>
  inputs.every(({ dtype }) => ["f32", "i32", "bool"].includes(dtype));

const feedsOf = (inputs: readonly Numbers[]): Readonly<Record<string, Numbers>> =>
  Object.fromEntries(inputs.map((x, i) => [`x${i}`, x]));

function assertSame(have: Numbers, want: ArrayLike<number>, sizes: readonly number[], at: string) {
  assertEquals([...have.dims], [...sizes], at);
  for (let i = 0; i < want.length; i++) {
    const x = want[i]!, y = Number(have.data[i]);
    if (Object.is(x, y) || Math.abs(x - y) <= TOLERANCE * Math.max(1, Math.abs(x))) continue;
    throw new RangeError(`${at}: element ${i} is ${y}, not ${x}`);
  }
}

async function holdOne(law: string, { trial, inputs }: Sample): Promise<void> {
  if (typeof runtimes.native === "string") return;
  const f: Function = (...xs) =>
    Object.fromEntries(paths(trial.call(...xs) as AnyTensor).map(([path, x]) => [`y${path}`, x]));
  const model = await exportFunction(f, {
    inputs: inputs.map(({ dtype, shape }, i) => {
      return { name: `x${i}`, dtype: dtype as "f32", axes: shape };
    }),
  });
  const shown = `${law} of ${inputs.map((x) => `${x.dtype} [${x.shape}]`).join(", ")}`;
  const tensorOf = ({ data, shape, dtype }: Drawn): AnyTensor =>
    fromArray(data as Float32Array<ArrayBuffer>, [...shape], dtype as "f32");
  const session = await runtimes.native.load(fileOf(model));
  const given = inputs.map(({ data, shape }) => ({ dims: shape, data }) as Numbers);
  const found = await session.run(feedsOf(given));
  await session.close();
  for (const [name, y] of Object.entries(f(...inputs.map(tensorOf)))) {
    const dtype = y.dtype as Drawn["dtype"], data = await read(y as Tensor);
    assertSame(found[name]!, fromHost(data, dtype), sizesOf(y), shown);
  }
}

if (typeof runtimes.native === "string") skip("onnxruntime-node", runtimes.native);
else {
  Deno.test("every op that its law draws gives the same in ONNX Runtime, or is refused", async () => {
    const refused: string[] = [], held = new Set<string>();
    for (const [, { law, draw }] of await loadLaws()) {
      for (const g of fc.sample(fc.gen(), { seed: 5, numRuns: RUNS })) {
        const sample = sampleOf({ law, draw }, g);
        if (!areTaken(sample)) continue;
        try {
          await holdOne(law, sample);
          held.add(law);
        } catch (error) {
          if (!(error instanceof TypeError)) throw error;
          assertMatch(error.message, /^Cannot export .*(u32|bitcast|sh[lr] of)/, law);
          refused.push(law);
        }
      }
    }
    assertEquals([...new Set(refused)], REFUSED);
    assertEquals([...held].filter((law) => REFUSED.includes(law)), []);
    console.log(`${held.size} ops held, ${REFUSED.length} refused`);
  });
}

/** Functions of x [B, T, 4] whose constants, windows and shapes depend on the sizes. */
const ofSizes: Readonly<Record<string, Function>> = {
  "a mean over T": (x) => ({ y: mean(x, 1) }),
  "a variance over B and T": (x) => ({ y: variance(x, [0, 1]) }),
  "a softmax over T": (x) => ({ y: softmax(x, 1) }),
  "all elements in a line, and back": (x) => {
    const [B, T] = sizesOf(x) as [number, number];
    return { y: reshape(x, [-1]), z: reshape(reshape(x, [B * T, 4]), [T, B, 4]) };
  },
  "T backward": (x) => ({ y: flip(x, 1) as AnyTensor }),
  "all but the first and the last": (x) => ({ y: slice(x, 1, 1, sizesOf(x)[1]! - 1) as AnyTensor }),
  "twice and padded": (x) => {
    return { y: pad(concat([x, x], 1) as AnyTensor, [[0, 0], [1, 2], [0, 1]], 7) as AnyTensor };
  },
  "a table of T x T": (x) => {
    const T = sizesOf(x)[1]!, own = Float32Array.from({ length: T * T }, (_, i) => i % (T + 1));
    const same = Float32Array.from(own, (distance) => distance === 0 ? 1 : 0);
    return {
      y: mul(expandDims(x, 2) as AnyTensor, reshape(fromArray(same, [T, T]), [1, T, T, 1])),
    };
  },
  "the middle of a table": (x) => {
    const T = sizesOf(x)[1]!, n = 2 * T - 1;
    const offsets = Float32Array.from({ length: n }, (_, i) => Math.sin(i - T + 1));
    return { y: add(x, slice(reshape(fromArray(offsets, [n]), [n, 1]), 0, 0, T) as AnyTensor) };
  },
};
const inputs = [{ name: "x0", dtype: "f32", axes: ["B", "T", 4] }] as const;
const greatest = { T: 32 };

const { native } = runtimes;
if (typeof native !== "string") {
  for (const [name, f] of Object.entries(ofSizes)) {
    Deno.test(`sizes are known when it runs: ${name}`, async () => {
      const session = await native.load(fileOf(await exportFunction(f, { inputs, greatest })));
      for (const [B, T] of [[1, 3], [2, 2], [3, 32], [6, 17]] as const) {
        const data = Float32Array.from({ length: B * T * 4 }, (_, i) => Math.sin(i * i));
        const found = await session.run({ x0: { dims: [B, T, 4], data } });
        for (const [key, y] of Object.entries(f(fromArray(data, [B, T, 4])))) {
          assertSame(found[key]!, await read(y as Tensor), sizesOf(y), `${name} at ${B} x ${T}`);
        }
      }
      await session.close();
    });
  }
}

const refusals: readonly (readonly [why: string, f: Function, message: RegExp])[] = [
  ["steps that depend on T", (x) => {
    const T = sizesOf(x)[1]!;
    return { y: Array.from({ length: T }).reduce<AnyTensor>((y) => add(y, 1) as AnyTensor, x) };
  }, /whose steps depend on its sizes/],
  ["a scan", (x) => ({ y: cumsum(x, 1) as AnyTensor }), /whose steps depend on its sizes/],
  ["a constant that is no window", (x) => {
    const T = sizesOf(x)[1]!, all = Float32Array.from({ length: T }, (_, i) => i / T);
    return { y: add(x, reshape(fromArray(all, [T]), [T, 1])) };
  }, /those of smaller ones must be windows of it/],
  ["a size that is no polynomial", (x) => {
    return { y: slice(x, 1, 0, Math.ceil(sizesOf(x)[1]! / 2)) as AnyTensor };
  }, /must be a polynomial/],
  ["words without a sign", (x) => ({ y: sort(x, 1) as AnyTensor }), /u32/],
];
for (const [why, f, message] of refusals) {
  Deno.test(`an export is refused in words: ${why}`, async () => {
    const { message: found } = await assertRejects(
      () => exportFunction(f, { inputs, greatest }),
      TypeError,
    );
    assertMatch(found, message);
  });
}

Deno.test("an export is refused in words: a table too short to be traced", async () => {
  const short = { inputs, greatest: { T: 13 } };
  await assertRejects(() => exportFunction((x) => ({ y: x }), short), RangeError, "at least 14");
});
