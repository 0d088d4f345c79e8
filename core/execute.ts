/**
 * Running graphs whose leaves are all concrete: what makes ops eager. Programs are cached by what they compute, so a
 * repeated eager op compiles once.
 *
 * @module
 */
import { defaultCpu } from "./backends/cpu/mod.ts";
import type { Device, Program } from "./device/device.ts";
import { Value } from "./device/value.ts";
import { type DataNode, makeNode, type Node, sizeOf, sorted } from "./graph/node.ts";
import { signature } from "./graph/signature.ts";

/** Programs that a device keeps for eager ops; the least recently used goes first. */
const KEPT = 512;
const programs = new WeakMap<Device, Map<string, Program>>();

function programFor(
  device: Device,
  leaves: readonly DataNode[],
  outputs: readonly Node[],
): Program {
  let kept = programs.get(device);
  if (!kept) programs.set(device, kept = new Map());
  const key = signature(leaves, outputs);
  const found = kept.get(key);
  const program = found ?? device.compile({ inputs: leaves, outputs, donations: new Map() });
  kept.delete(key);
  kept.set(key, program);
  if (kept.size > KEPT) {
    const [oldest, unused] = kept.entries().next().value!;
    kept.delete(oldest);
    unused.destroy();
  }
  return program;
}

/** The node of a concrete value. */
export function dataNode(value: Value, shape: readonly number[]): DataNode {
  return makeNode({ kind: "data", shape, dtype: value.dtype, inputs: [], value });
}

/** The device that leaves are on; `otherwise`, by default the CPU, if they are only on the host. */
export function deviceOf(leaves: readonly DataNode[], otherwise?: Device): Device {
  const found = leaves.map((n) => n.value.device).find((d) => d !== undefined);
  return found ?? otherwise ?? defaultCpu();
}

/** The data nodes that these nodes are computed from. */
export function dataLeaves(outputs: readonly Node[]): DataNode[] {
  return sorted(outputs).filter((n) => n.kind === "data");
}

/** Computes nodes whose leaves are all concrete. */
export function execute(outputs: readonly Node[], on?: Device): DataNode[] {
  const leaves = dataLeaves(outputs), device = on ?? deviceOf(leaves);
  const program = programFor(device, leaves, outputs);
  const storages = outputs.map((n) => device.allocate(sizeOf(n.shape), n.dtype));
  program.run(leaves.map((n) => n.value.on(device)), storages);
  return outputs.map((n, i) => {
    const value = new Value(sizeOf(n.shape), n.dtype, undefined, device, storages[i]!);
    return dataNode(value, n.shape);
  });
}

/** Kinds that an eager tensor may stay: leaves and views of them, which cost nothing until something reads them. */
const lazy: ReadonlySet<Node["kind"]> = new Set(
  ["data", "const", "iota", "reshape", "permute", "expand", "slice"] as const,
);

/** What an op returns: its node inside a trace, its value outside. */
export function settle(n: Node): Node {
  return n.traced || isTracing() || lazy.has(n.kind) ? n : execute([n])[0]!;
}

let traces = 0;

/**
 * Runs what builds a graph for a transform. The transforms called meanwhile compute nothing: whatever they close over, the
 * outer one may want to differentiate, batch or compile it.
 */
export function tracing<R>(build: () => R): R {
  traces++;
  try {
    return build();
  } finally {
    traces--;
  }
}

/** Is a transform building its graph now? */
export function isTracing(): boolean {
  return traces > 0;
}

/** Results of a transform: part of the outer trace if there is one, else computed together. */
export function settleAll(outputs: readonly Node[]): readonly Node[] {
  return isTracing() || outputs.length === 0 ? outputs : execute(outputs);
}

/** The data node of a concrete tensor, views resolved; on `device` if it is nowhere yet. */
export function concrete(n: Node, device?: Device): DataNode {
  return n.kind === "data" ? n : execute([n], deviceOf(dataLeaves([n]), device))[0]!;
}
