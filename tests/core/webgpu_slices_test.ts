/** What is dispatched where buffers are over the binding limit, and that nothing else is where none is. No GPU is needed. */
import { assert, assertEquals, assertLess, assertMatch, assertThrows } from "@std/assert";
import type { Graph } from "../../core/device/device.ts";
import { DeviceError } from "../../core/device/error.ts";
import * as build from "../../core/graph/build.ts";
import { makePlan } from "../../core/plan/make_plan.ts";
import { type Plan, wordsOf } from "../../core/plan/plan.ts";
import { Choices } from "../../core/backends/webgpu/choices.ts";
import type { Compiled } from "../../core/backends/webgpu/pipelines.ts";
import type { Target } from "../../core/backends/webgpu/shader.ts";
import { type Step, stepsOf } from "../../core/backends/webgpu/steps.ts";
import { windowOf } from "../../core/backends/webgpu/windows.ts";
import { input, sumAll, sumLast, trainingStep } from "./plan_models.ts";

const graph = trainingStep({ B: 4, T: 16, C: 64, V: 200, heads: 4, layers: 1 });
const planOf = (g: Graph): Plan => makePlan(g, { bindings: 8, fuse: true });
const plan = planOf(graph);
const largest = Math.max(...[...plan.slotOf.keys()].map((n) => 4 * wordsOf(n)));

function made(plan: Plan, bindingBytes: number, software = false): ReturnType<typeof stepsOf> {
  const target: Target = { software, bindings: 8, scoreBytes: 0, bindingBytes };
  const compileShader = (): Compiled => ({} as Compiled);
  return stepsOf({ target, choices: new Choices(target), compileShader }, plan);
}

const shadersOf = (steps: readonly Step[]) =>
  steps.map(({ kernel, shader }) => ({ kernel, shader }));

for (const software of [true, false]) {
  const family = software ? "software" : "gpu";
  Deno.test(`webgpu slices: within the limit nothing changes (${family} kernels)`, () => {
    const within = made(plan, largest, software), free = made(plan, 2 ** 40, software);
    assertEquals(within.lines, free.lines);
    assertEquals(shadersOf(within.steps), shadersOf(free.steps));
    assert(within.steps.every(({ windows }) => windows.every((w) => w.offset === 0)));
  });

  Deno.test(`webgpu slices: only kernels over the limit are others (${family} kernels)`, () => {
    const free = made(plan, 2 ** 40, software), tight = made(plan, 2 ** 15, software);
    tight.lines.forEach((line, i) => {
      if (line.includes(" slices;")) return;
      const of = (all: typeof free) => shadersOf(all.steps.filter(({ kernel }) => kernel === i));
      assertEquals([line, of(tight)], [free.lines[i], of(free)]);
    });
    const cut = tight.lines.filter((l) => l.includes(" slices;"));
    assertLess(20, cut.length);
    assertLess(cut.length, tight.lines.length / 2);
  });
}

Deno.test("webgpu slices: no binding is over the limit, and each begins where WebGPU lets it", () => {
  for (const limit of [2 ** 15, 3 * 2 ** 13]) {
    const windows = made(plan, limit).steps.flatMap((s) => s.windows);
    assert(windows.every(({ offset, bytes }) => offset % 256 === 0 && bytes <= limit));
    assert(windows.some(({ offset }) => offset > 0));
  }
});

Deno.test("webgpu slices: parts of one size share their text", () => {
  const x = input(4096, 64), outputs = [build.mul(x, x)];
  const { steps, lines } = made(planOf({ inputs: [x], outputs, donations: new Map() }), 2 ** 17);
  assertEquals(new Set(steps.map((s) => s.shader.code)).size, 1);
  assertEquals(steps.map((s) => s.windows.map(({ offset }) => offset / 2 ** 17)), [
    [0, 0],
    [1, 1],
    [2, 2],
    [3, 3],
    [4, 4],
    [5, 5],
    [6, 6],
    [7, 7],
  ]);
  assertMatch(lines[0]!, /^row .*; in 8 slices; element vec4$/);
});

Deno.test("webgpu slices: a reduced row over the limit is refused, in words", () => {
  // A prime length: the planner cannot make two steps of it.
  const long = input(10007), outputs = [sumAll(long)];
  const { message, failure } = assertThrows(
    () => made(planOf({ inputs: [long], outputs, donations: new Map() }), 4096),
    DeviceError,
  );
  assertEquals(failure, "limit");
  assertEquals(
    message,
    "Cannot run row [] x 10007, sum on this adapter: it needs 39.1 KiB of f32 [10007] at once, and a shader binds at most 4.0 KiB of a buffer; take a smaller batch or another device",
  );
});

Deno.test("webgpu slices: rows that lie far apart are gathered", () => {
  const x = input(60, 90), y = input(90, 60);
  const outputs = [sumLast(build.mul(build.transpose(x), y))];
  const { steps, lines } = made(planOf({ inputs: [x, y], outputs, donations: new Map() }), 4096);
  const temporary = 3, last = steps.at(-1)!;
  assertMatch(lines[0]!, / slices;/);
  assert(last.windows.some(({ slot }) => slot === temporary));
  assert(
    !last.windows.some(({ slot }) => slot === 0),
    "the rows are read where they were gathered",
  );
});

Deno.test("webgpu slices: windows that are too many are made smaller until they are one", () => {
  // Of 16 rows of x, its first blocks are within the limit, and its last ones, but not both at once; the others have seven bindings.
  const x = input(64, 18, 1024), others = Array.from({ length: 6 }, () => input(64, 1, 1024));
  const blocks = [0, 17].map((at) => build.sliceAxis(x, 1, at, at + 1));
  const graph = {
    inputs: [x, ...others],
    outputs: [[...blocks, ...others].reduce(build.add)],
    donations: new Map(),
  };
  const { steps, lines } = made(planOf(graph), 15 * 4 * 18 * 1024 + 8192);
  assertEquals(lines.length, 1);
  assert(steps.every(({ shader }) => shader.slots.length === 8));
  assertEquals(steps.length, 8);
});

Deno.test("webgpu slices: an empty operand that is read backwards has a window within its buffer", () => {
  const use = { node: input(8), offset: -1, strides: [-1], sizes: [0], write: false };
  assertEquals(windowOf(use, () => 0), { slot: 0, offset: 0, bytes: 16 });
});
