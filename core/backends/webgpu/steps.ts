/**
 * The dispatches of a plan: shaders compiled, bind groups built once for the buffers that they name.
 *
 * @module
 */
import { kernelLine } from "../../plan/explain.ts";
import type { Plan } from "../../plan/plan.ts";
import { attentionTemporary } from "./attention_parts.ts";
import type { Node } from "../../graph/node.ts";
import type { Kernel } from "../../plan/kernels.ts";
import type { SlotOf } from "./bindings.ts";
import type { Block } from "./buffers.ts";
import { shadersOf } from "./kernel_shaders.ts";
import { type MatmulChoice, temporaryOf } from "./matmul.ts";
import type { Compiled } from "./pipelines.ts";
import type { Host } from "./program.ts";
import type { MatmulPart } from "./part.ts";
import type { Shader } from "./shader.ts";
import { splitKernel, type Windowed } from "./split_kernel.ts";
import type { Window } from "./windows.ts";

/** Bind groups that a step keeps; inputs and outputs alternate between few buffers. */
const keptGroups = 8;

/** One dispatch. */
export interface Step {
  /** Number of the kernel that it belongs to. */
  readonly kernel: number;
  readonly shader: Shader;
  readonly compiled: Compiled;
  /** What each binding is; of a smaller buffer, all of it. */
  readonly windows: readonly Window[];
  /** Slots whose buffers may change from run to run. */
  readonly changing: readonly number[];
  readonly groups: Map<string, GPUBindGroup>;
  /** The group of the last run. */
  current: GPUBindGroup | undefined;
}

/** Compiles the shaders of all kernels. */
export function stepsOf(
  host: Pick<Host, "target" | "choices" | "compileShader">,
  plan: Plan,
): { readonly steps: readonly Step[]; readonly lines: readonly string[] } {
  const steps: Step[] = [], slotOf = slotsOf(plan), { target } = host;
  const temporary = plan.slots.length, choiceOf = choicesOf(host);
  const isFixed = (slot: number): boolean =>
    slot === temporary || plan.slots[slot]!.role === "scratch";
  const lines = plan.kernels.map((k, kernel) => {
    const parts = splitKernel(k, slotOf, temporary, target), styles = new Set<string>();
    for (const { part, windows } of parts) {
      const bound = numbered(windows, slotOf, temporary + 1);
      const making = { target, slotOf: bound.numberOf, temporary, choiceOf };
      for (const shader of shadersOf(part, making)) {
        const touched = shader.slots.map((n) =>
          bound.windows[n - temporary - 1] ?? wholeWindow(n, target.bindingBytes)
        );
        steps.push({
          kernel,
          shader,
          compiled: host.compileShader(shader, kernelLine(k)),
          windows: touched,
          changing: touched.map((w) => w.slot).filter((slot) => !isFixed(slot)),
          groups: new Map(),
          current: undefined,
        });
        styles.add(shader.style);
      }
    }
    return `${splitLine(k, parts)}; ${[...styles].join(", ")}`;
  });
  return { steps, lines };
}

/** A binding of all of a slot's buffer, or of as much as may be bound where scratch is larger than what the kernel has in it. */
export function wholeWindow(slot: number, bindingBytes: number): Window {
  return { slot, offset: 0, bytes: bindingBytes };
}

/** Numbers for the windows of a part, from `first` on, as those below are slots. */
function numbered(
  windows: Windowed["windows"],
  slotOf: SlotOf,
  first: number,
): { readonly windows: readonly Window[]; readonly numberOf: SlotOf } {
  const all = [...new Set(windows.values())];
  const numberOf = (n: Node): number => {
    const window = windows.get(n);
    return window ? first + all.indexOf(window) : slotOf(n);
  };
  return { windows: all, numberOf };
}

const slotsOf = (plan: Plan): SlotOf => (n) => plan.slotOf.get(n)!;

/** The choice for a product; a part's is that of a product of its size. */
const choicesOf = (host: Pick<Host, "choices">) => (k: MatmulPart): MatmulChoice => {
  const { kind, batch, m, n, k: products, a, b, store } = k;
  return host.choices.of(k.into ? { kind, batch, m, n, k: products, a, b, store } : k);
};

function splitLine(k: Kernel, parts: readonly Windowed[]): string {
  return parts.length === 1 ? kernelLine(k) : `${kernelLine(k)}; in ${parts.length} slices`;
}

/** The parts of every kernel. */
function partsOf({ target }: Pick<Host, "target">, plan: Plan): (readonly Windowed[])[] {
  return plan.kernels.map((k) => splitKernel(k, slotsOf(plan), plan.slots.length, target));
}

/** A line a kernel, without its shaders. */
export function linesOf(host: Pick<Host, "target">, plan: Plan): string[] {
  return partsOf(host, plan).map((parts, i) => splitLine(plan.kernels[i]!, parts));
}

/** Words of every buffer of scratch: of the plan's slots, then of the memory that the dispatches of one kernel hand each other. */
export function scratchSizes(host: Pick<Host, "choices" | "target">, plan: Plan): number[] {
  const sizes: number[] = [], temporary = temporarySize(host, plan);
  plan.slots.filter((s) => s.role === "scratch").forEach((s) => sizes[s.index] = s.words);
  return temporary ? [...sizes, temporary] : sizes;
}

function temporarySize(host: Pick<Host, "choices" | "target">, plan: Plan): number {
  const choiceOf = choicesOf(host), temporary = plan.slots.length;
  const sizes = partsOf(host, plan).map((parts, i) => {
    const k = plan.kernels[i]!;
    if (k.kind === "hand") return attentionTemporary(k.does);
    if (k.kind === "matmul") return parts.length > 1 ? 0 : temporaryOf(k, choiceOf(k));
    const ends = parts.flatMap(({ windows }) => [...windows.values()])
      .map(({ slot, offset, bytes }) => slot === temporary ? (offset + bytes) / 4 : 0);
    return Math.max(0, ...ends);
  });
  return sizes.reduce((a, b) => Math.max(a, b), 0);
}

/** The bind group of a step for these buffers, found or made. */
export function groupOf(gpu: GPUDevice, step: Step, bound: readonly Block[]): GPUBindGroup {
  let key = "";
  for (const slot of step.changing) key += `${bound[slot]!.id},`;
  const found = step.groups.get(key);
  if (found) return found;
  const made = gpu.createBindGroup({
    layout: step.compiled.layout,
    entries: step.windows.map(({ slot, offset, bytes }, binding) => {
      const { buffer, bytes: all } = bound[slot]!;
      return { binding, resource: { buffer, offset, size: Math.min(bytes, all - offset) } };
    }),
  });
  if (step.groups.size >= keptGroups) step.groups.delete(step.groups.keys().next().value!);
  step.groups.set(key, made);
  return made;
}
