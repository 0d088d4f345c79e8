/**
 * The reference: every node by itself, in plain loops, as obviously right as it can be. The oracle of all laws; never
 * chosen by itself.
 *
 * @module
 */
import { type DType, fromHost, type HostArray, toHost } from "../../dtype.ts";
import type { Device, Graph, PlanFigures, Program, Storage } from "../../device/device.ts";
import { type Node, sorted } from "../../graph/node.ts";
import { ruleOf } from "../../primitives/rules.ts";
import { type Cells, cells } from "./cells.ts";

interface CellStorage extends Storage {
  values: Cells;
}
const at = (s: Storage): CellStorage => s as CellStorage;

/** The values of the outputs. */
export function evaluate(graph: Graph, inputs: readonly Cells[]): Cells[] {
  const values = new Map<Node, Cells>(graph.inputs.map((n, i) => [n, inputs[i]!]));
  for (const n of sorted(graph.outputs, (m) => values.has(m))) {
    if (!values.has(n)) values.set(n, evaluateNode(n, n.inputs.map((m) => values.get(m)!)));
  }
  return graph.outputs.map((n) => values.get(n)!.slice());
}

function evaluateNode(n: Node, xs: readonly Cells[]): Cells {
  switch (n.kind) {
    case "const":
      return cells(n.dtype, 1).fill(n.number);
    case "iota":
      return cells(n.dtype, n.shape[0]!).map((_, i) => i);
    case "custom":
      return xs[0]!;
    case "input":
    case "data":
      throw new TypeError(`Cannot evaluate a graph: leaf ${n.kind} is not among its inputs`);
    default:
      return ruleOf(n).evaluate(n, xs);
  }
}

/** A device that evaluates with the reference. */
export function reference(): Device {
  let bytes = 0, storages = 0, peak = 0;
  const figures = (graph: Graph): PlanFigures => {
    const nodes = sorted(graph.outputs);
    return {
      kernels: nodes.length,
      composed: [],
      liveBytes: nodes.map(() => 0),
      peakBytes: 0,
      scratchBytes: 0,
      trafficBytes: 0,
      flops: 0,
      lines: nodes.map((n) => `${n.kind} ${n.dtype as DType} [${n.shape}]`),
    };
  };
  return {
    kind: "reference",
    description: "reference (plain loops, one thread)",
    allocate(size, dtype): CellStorage {
      const values = cells(dtype, size);
      bytes += values.byteLength;
      peak = Math.max(peak, bytes);
      storages++;
      return { bytes: values.byteLength, values };
    },
    free(storage): void {
      bytes -= storage.bytes;
      storages--;
    },
    write(storage, data, dtype): void {
      at(storage).values.set(fromHost(data, dtype));
    },
    read(storage, _size, dtype): Promise<HostArray> {
      return Promise.resolve(toHost(at(storage).values, dtype));
    },
    compile(graph): Program {
      return {
        run(inputs, outputs): void {
          const results = evaluate(graph, inputs.map((s) => at(s).values));
          results.forEach((r, i) => at(outputs[i]!).values = r);
        },
        explain: () => ({ ...figures(graph), planMs: 0, codegenMs: 0 }),
        destroy(): void {},
      };
    },
    // It plans nothing, and keeps every intermediate result in JavaScript's own memory.
    planner: {
      storageBytes: (size, dtype) => size * cells(dtype, 1).byteLength,
      plan: (graph) => ({ ...figures(graph), workspace: [] }),
      workspaceBytes: () => 0,
    },
    synchronize: () => Promise.resolve(),
    usage: () => ({ bytes, storages }),
    peakBytes: () => peak,
    destroy(): void {},
  };
}
