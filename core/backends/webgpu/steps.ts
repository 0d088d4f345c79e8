/**
 * The dispatches of a plan: shaders compiled, bind groups built once for the buffers that they name.
 *
 * @module
 */
import { kernelLine } from "../../plan/explain.ts";
import type { Plan } from "../../plan/plan.ts";
import { attentionTemporary } from "./attention_parts.ts";
import type { Block } from "./buffers.ts";
import { type Making, shadersOf } from "./kernel_shaders.ts";
import { temporaryOf } from "./matmul.ts";
import type { Compiled } from "./pipelines.ts";
import type { Host } from "./program.ts";
import type { Shader } from "./shader.ts";

/** Bind groups that a step keeps; inputs and outputs alternate between few buffers. */
const keptGroups = 8;

/** One dispatch. */
export interface Step {
  /** Number of the kernel that it belongs to. */
  readonly kernel: number;
  readonly shader: Shader;
  readonly compiled: Compiled;
  /** Slots whose buffers may change from run to run. */
  readonly changing: readonly number[];
  readonly groups: Map<string, GPUBindGroup>;
  /** The group of the last run. */
  current: GPUBindGroup | undefined;
}

/** Compiles the shaders of all kernels. */
export function stepsOf(
  host: Host,
  plan: Plan,
): { readonly steps: readonly Step[]; readonly lines: readonly string[] } {
  const steps: Step[] = [],
    making: Making = {
      target: host.target,
      slotOf: (n) => plan.slotOf.get(n)!,
      temporary: plan.slots.length,
      choiceOf: host.choices.of,
    };
  const lines = plan.kernels.map((k, kernel) => {
    const line = kernelLine(k), shaders = shadersOf(k, making);
    for (const shader of shaders) {
      const changing = shader.slots.filter((s) =>
        s < plan.slots.length && plan.slots[s]!.role !== "scratch"
      );
      const compiled = host.compileShader(shader, line);
      steps.push({ kernel, shader, compiled, changing, groups: new Map(), current: undefined });
    }
    return `${line}; ${shaders.map((s) => s.style).join(", ")}`;
  });
  return { steps, lines };
}

/** Words of every buffer of scratch: of the plan's slots, then of the memory that the dispatches of one kernel hand each other. */
export function scratchSizes(host: Pick<Host, "choices">, plan: Plan): number[] {
  const sizes: number[] = [], temporary = temporarySize(host, plan);
  plan.slots.filter((s) => s.role === "scratch").forEach((s) => sizes[s.index] = s.words);
  return temporary ? [...sizes, temporary] : sizes;
}

function temporarySize(host: Pick<Host, "choices">, plan: Plan): number {
  const sizes = plan.kernels.map((k) =>
    k.kind === "matmul"
      ? temporaryOf(k, host.choices.of(k))
      : k.kind === "hand"
      ? attentionTemporary(k.does)
      : 0
  );
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
    entries: step.shader.slots.map((s, binding) => ({
      binding,
      resource: { buffer: bound[s]!.buffer },
    })),
  });
  if (step.groups.size >= keptGroups) step.groups.delete(step.groups.keys().next().value!);
  step.groups.set(key, made);
  return made;
}
