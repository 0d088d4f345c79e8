/** The search among the matmul family: what it finds, keeps and ignores. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Choices, classOf } from "../../core/backends/webgpu/choices.ts";
import { loadChoices, saveChoices } from "../../core/backends/webgpu/choice_file.ts";
import { WebGpuDevice } from "../../core/backends/webgpu/device.ts";
import { choiceFor, choicesFor, choiceText } from "../../core/backends/webgpu/matmul.ts";
import { checker } from "../../core/backends/webgpu/search.ts";
import { openDevice } from "../../core/device/open.ts";
import { matmul } from "../../core/graph/build.ts";
import { makeNode, type Node } from "../../core/graph/node.ts";
import type { MatmulKernel } from "../../core/plan/kernels.ts";
import { makePlan } from "../../core/plan/make_plan.ts";
import { subgroups, webgpuTestOnce } from "./webgpu_device.ts";

const f32 = (...shape: number[]): Node =>
  makeNode({ kind: "input", shape, dtype: "f32", inputs: [] });
const target = {
  software: true,
  bindings: 8,
  scoreBytes: 0,
  bindingBytes: 2 ** 27,
  ...subgroups && { subgroups },
};

/** A graph of one product, and its kernel. */
function product(m: number, n: number, k: number) {
  const inputs = [f32(m, k), f32(k, n)];
  const graph = { inputs, outputs: [matmul(inputs[0]!, inputs[1]!)], donations: new Map() };
  const kernel = makePlan(graph, { bindings: 8, fuse: true }).kernels[0] as MatmulKernel;
  return { graph, kernel };
}

async function withFile(body: (path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(`${folder}/cache/matmul.json`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("webgpu tune: choices come back from the file, other devices keep theirs", () =>
  withFile(async (path) => {
    const lines: string[] = [], report = (line: string) => void lines.push(line);
    assertEquals(await loadChoices(path, "one", report), new Map(), "no file yet");
    await saveChoices(path, "one", new Map([["a", "x"], ["b", "y"]]), report);
    await saveChoices(path, "two", new Map([["a", "z"]]), report);
    await saveChoices(path, "one", new Map([["b", "w"]]), report);
    assertEquals(await loadChoices(path, "one", report), new Map([["a", "x"], ["b", "w"]]));
    assertEquals(await loadChoices(path, "two", report), new Map([["a", "z"]]));
    assertEquals(await loadChoices(path, "three", report), new Map());
    assertEquals(lines, []);
  }));

Deno.test("webgpu tune: a file that holds something else is ignored in words, and replaced", () =>
  withFile(async (path) => {
    await saveChoices(path, "one", new Map([["a", "x"]]), () => {});
    const whole = await Deno.readTextFile(path);
    const wrong = [
      "",
      "{",
      "null",
      "[]",
      whole.slice(0, -9),
      whole.replace("choices 1", "choices 0"),
    ]
      .concat(whole.replace('"x"', "3"));
    for (const text of wrong) {
      await Deno.writeTextFile(path, text);
      const lines: string[] = [];
      assertEquals(await loadChoices(path, "one", (l) => void lines.push(l)), new Map(), text);
      assertEquals(lines.length, 1, text);
      assertStringIncludes(lines[0]!, `Ignoring ${path}`);
    }
    await saveChoices(path, "one", new Map([["a", "x"]]), () => {});
    assertEquals(await Deno.readTextFile(path), whole);
  }));

Deno.test("webgpu tune: where the file cannot be written, a line says so", () =>
  withFile(async (path) => {
    const lines: string[] = [];
    await saveChoices(path, "one", new Map([["a", "x"]]), () => {});
    await saveChoices(`${path}/below`, "one", new Map([["a", "x"]]), (l) => void lines.push(l));
    assertEquals(lines.length, 1);
    assertStringIncludes(lines[0]!, "Cannot keep choices");
  }));

Deno.test("webgpu tune: a name that is no member counts as not found", () => {
  const { kernel } = product(64, 64, 64), other = choicesFor(kernel, target).at(-1)!;
  const usual = choiceText(choiceFor(kernel, target)), name = classOf(kernel);
  const of = (text: string): string =>
    choiceText(new Choices(target, new Map([[name, text]])).of(kernel));
  assertEquals(of("workgroup 1024x1024x1024/64"), usual);
  assertEquals(of(choiceText(other)), choiceText(other));
});

Deno.test("webgpu tune: the check sees any one wrong element", () => {
  const { kernel } = product(5, 6, 7);
  const x = Float32Array.from({ length: 35 }, (_, i) => i % 7 - 3);
  const y = Float32Array.from({ length: 42 }, (_, i) => i % 5 - 2);
  const c = Float32Array.from({ length: 30 }, (_, at) => {
    let sum = 0;
    for (let p = 0; p < 7; p++) sum += x[Math.floor(at / 6) * 7 + p]! * y[p * 6 + at % 6]!;
    return sum;
  });
  const isProduct = checker(kernel, (n) => n === kernel.a.base ? x : y);
  assert(isProduct(c));
  for (let at = 0; at < 30; at++) {
    assert(!isProduct(c.map((v, i) => i === at ? v + 1 : v)), `${at}`);
  }
});

webgpuTestOnce(
  "tune",
  "a read after a compilation searches once, and the file serves the next device",
  (_, gpu) =>
    withFile(async (file) => {
      const lines: string[] = [], report = (line: string) => void lines.push(line);
      const { graph, kernel } = product(40, 72, 24), keeping = { file, key: "this", report };
      const x = Float32Array.from({ length: 40 * 24 }, (_, i) => i % 7 - 3);
      const y = Float32Array.from({ length: 24 * 72 }, (_, i) => i % 5 - 2);
      const runOn = async (device: WebGpuDevice) => {
        const program = device.compile(graph),
          storages = [x, y].map((data) => {
            const s = device.allocate(data.length, "f32");
            device.write(s, data, "f32");
            return s;
          });
        const out = device.allocate(40 * 72, "f32"), results: ArrayLike<number>[] = [];
        for (let run = 0; run < 2; run++) {
          program.run(storages, [out]);
          results.push(await device.read(out, 40 * 72, "f32"));
        }
        assertEquals(results[0], results[1]);
        program.destroy();
        [...storages, out].forEach((s) => device.free(s));
        assertEquals(device.usage().storages, 0, "the search frees what it took");
      };
      await runOn(new WebGpuDevice(gpu, "this adapter", target, new Choices(target), keeping));
      const kept = await loadChoices(file, "this", report);
      assertEquals([...kept.keys()], [classOf(kernel)]);
      const names = choicesFor(kernel, target).map(choiceText);
      assert(names.includes(kept.get(classOf(kernel))!));

      const stamp = (await Deno.stat(file)).mtime!.getTime();
      const choices = new Choices(target, kept);
      await runOn(new WebGpuDevice(gpu, "this adapter", target, choices, keeping));
      assertEquals(choices.version, 0, "nothing was searched again");
      assertEquals((await Deno.stat(file)).mtime!.getTime(), stamp);
      assertEquals(lines, []);
    }),
);

webgpuTestOnce(
  "tune",
  "a device that is opened by name searches if it is asked to",
  () =>
    withFile(async (file) => {
      const device = await openDevice("webgpu", { tune: { file } });
      const { graph } = product(16, 16, 16), program = device.compile(graph);
      await device.synchronize();
      assertStringIncludes(await Deno.readTextFile(file), "16x16x16");
      program.destroy();
      device.destroy();
    }),
);
