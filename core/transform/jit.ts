/**
 * Compilation: a function is traced once for every signature of its arguments (structure, shapes, dtypes, other leaves),
 * planned and compiled for a device, then replayed. State that a step replaces is donated: the new state takes its memory.
 *
 * @module
 */
import type { Device, Explanation, Graph, KernelTime, Program, Storage } from "../device/device.ts";
import { DeviceError } from "../device/error.ts";
import type { PlannedProgram } from "../device/planner.ts";
import { Value } from "../device/value.ts";
import { concrete, dataLeaves, dataNode, deviceOf, isTracing } from "../execute.ts";
import { type DataNode, type Node, show, sizeOf } from "../graph/node.ts";
import { isTensor, nodeOf, wrap } from "../tensor.ts";
import { mapTree, paths, type Tree } from "../tree.ts";
import { nodesOf } from "./grad.ts";
import { tensorLeaves, traceOf } from "./trace.ts";

/** Options of `jit`. */
export interface JitOptions {
  /** Where it runs; by default where its arguments are, or else on the CPU. */
  readonly device?: Device;
  /** Numbers of the arguments whose tensors the caller gives up: results of equal shape take their memory. */
  readonly donate?: readonly number[];
}

/** A compiled function. */
export interface Jitted<A extends readonly unknown[], R> {
  (...args: A): R;
  /** What the program for these arguments consists of; compiles it if need be. */
  explain(...args: A): Explanation;
  /**
   * What the program for these arguments would take. Nothing is compiled, and nothing is put on a device: only the shapes and
   * dtypes of the arguments count, so `zeros`, which take no memory, may stand for any.
   *
   * @example
   * ```ts
   * import { cpu, jit, matmul, type Tensor, zeros } from "@motian/motian";
   * import { assertEquals } from "@std/assert";
   *
   * const device = cpu(), f = jit((x: Tensor<[4096, 4096]>) => matmul(x, x), { device });
   * assertEquals(f.plan(zeros([4096, 4096])).flops, 2 * 4096 ** 3);
   * assertEquals(device.peakBytes(), 0);
   * ```
   */
  plan(...args: A): Planned;
  /**
   * Calls it once on a device that is otherwise idle, as a plain call does (donated arguments are given up), and tells when each
   * kernel ran. Kernels of different lines never overlap, so the whole takes a little longer than a plain call.
   *
   * Units: microseconds.
   *
   * @throws {DeviceError} if the device has no clock for kernels; nothing is given up then.
   * @throws {TypeError} inside another trace, which has no times.
   *
   * @example
   * ```ts
   * import { cpu, jit, mul, read, tensor, type Tensor } from "@motian/motian";
   * import { assertEquals } from "@std/assert";
   *
   * const device = cpu(), f = jit((x: Tensor<[2]>) => mul(x, x), { device });
   * const { result, times } = await f.profile(tensor([1, 2]));
   * assertEquals([...await read(result)], [1, 4]);
   * assertEquals(times.map((t) => t.kernel), [...f.explain(tensor([1, 2])).lines.keys()]);
   * device.destroy();
   * ```
   */
  profile(...args: A): Promise<Profiled<R>>;
}

/** What a compiled function would take. */
export interface Planned extends PlannedProgram {
  /** Bytes of the tensors that it closes over, on its device. */
  readonly capturedBytes: number;
}

/** What a profiled call gave, and when its kernels ran: `kernel` numbers the lines of `explain`. */
export interface Profiled<R> {
  /** What the function gave. */
  readonly result: R;
  /** In the order in which they began. */
  readonly times: readonly KernelTime[];
}

interface Leaf {
  readonly path: string;
  readonly node: Node;
}
interface Traced {
  readonly graph: Graph;
  readonly result: unknown;
  /** Tensors that the function closes over: the last inputs. */
  readonly captured: readonly DataNode[];
  readonly traceMs: number;
}
interface Compiled extends Traced {
  readonly program: Program;
}

const identities = new WeakMap<object, number>();
let identityCount = 0;
function staticText(x: unknown): string {
  if (typeof x === "string") return JSON.stringify(x);
  if (Object.is(x, -0)) return "number -0";
  if ((typeof x !== "object" && typeof x !== "function") || x === null) return `${typeof x} ${x}`;
  if (!identities.has(x)) identities.set(x, identityCount++);
  return `object ${identities.get(x)}`;
}

function signatureOf(args: readonly unknown[]): string {
  return paths(args as Tree<unknown>).map(([path, x]) =>
    `${path}=${isTensor(x) ? `${nodeOf(x).dtype} ${show(nodeOf(x).shape)}` : staticText(x)}`
  ).join("\n");
}

/**
 * Which output takes which donated input: of equal shape and dtype, and with the same path (less the argument's number)
 * at its end if there is one, so that every moment finds its own predecessor.
 */
function pair(outputs: readonly Leaf[], donated: ReadonlyMap<number, Leaf>): Map<number, number> {
  const key = (n: Node): string => `${n.dtype}${show(n.shape)}`;
  const byPath = new Map<string, number>(), pairs = new Map<number, number>();
  for (const [i, { path, node }] of donated) {
    byPath.set(`${path.slice(path.indexOf(".") + 1)} ${key(node)}`, i);
  }
  const free = new Set(donated.keys());
  const take = (o: number, i: number): void => {
    pairs.set(o, i);
    free.delete(i);
  };
  outputs.forEach(({ path, node }, o) => {
    for (
      let tail = path;
      tail;
      tail = tail.includes(".") ? tail.slice(tail.indexOf(".") + 1) : ""
    ) {
      const i = byPath.get(`${tail} ${key(node)}`);
      if (i !== undefined && free.has(i)) return take(o, i);
    }
  });
  const rest = new Map<string, number[]>();
  for (const i of free) {
    const k = key(donated.get(i)!.node);
    rest.set(k, [...rest.get(k) ?? [], i]);
  }
  outputs.forEach(({ node }, o) => {
    const i = pairs.has(o) ? undefined : rest.get(key(node))?.shift();
    if (i !== undefined) take(o, i);
  });
  return pairs;
}

const leavesOf = (tree: unknown): Leaf[] =>
  tensorLeaves(tree).map(([path, x]) => ({ path, node: nodeOf(x) }));

function trace(
  f: (...args: never) => unknown,
  args: readonly unknown[],
  donate: readonly number[],
): Traced {
  const start = performance.now(), { inputs, result } = traceOf(f, args);
  const found = leavesOf(result);
  const outputs = found.map((l) => l.node), captured = dataLeaves(outputs);
  const donated = new Map(
    leavesOf(args).map((l, i): [number, Leaf] => [i, l])
      .filter(([, l]) => donate.includes(Number.parseInt(l.path))),
  );
  const donations = pair(found, donated);
  const graph: Graph = { inputs: [...inputs, ...captured], outputs, donations };
  return { graph, result, captured, traceMs: performance.now() - start };
}

/** Starts the program as `start` does; gives what that gives, and the results. */
function run<T>(
  c: Compiled,
  args: readonly unknown[],
  device: Device,
  donate: readonly number[],
  start: (inputs: readonly Storage[], outputs: readonly Storage[]) => T,
): { readonly started: T; readonly result: unknown } {
  const given = leavesOf(args).map(({ path, node }) => ({
    path,
    value: concrete(node, device).value,
  }));
  const gives = given.map((g) => donate.includes(Number.parseInt(g.path)));
  const uses = new Map<Value, number>();
  for (const { value } of given) uses.set(value, (uses.get(value) ?? 0) + 1);
  given.forEach((g, i) => {
    if (gives[i] && uses.get(g.value)! > 1) {
      throw new TypeError(`Cannot donate argument ${g.path}: the same tensor is given twice`);
    }
  });
  const storages = given.map((g) => g.value.on(device));
  const captured = c.captured.map((n) => n.value.on(device));
  const outputs: Storage[] = c.graph.outputs.map((n, o) => {
    const donor = c.graph.donations.get(o);
    return donor === undefined ? device.allocate(sizeOf(n.shape), n.dtype) : storages[donor]!;
  });
  // Nothing is given up before everything else is there: a call that fails leaves the state usable.
  given.forEach((g, i) => gives[i] && g.value.donate(device));
  const started = start([...storages, ...captured], outputs);
  const reused = new Set(c.graph.donations.values());
  gives.forEach((given, i) => given && !reused.has(i) && device.free(storages[i]!));
  let o = 0;
  const result = mapTree(c.result as Tree<unknown>, (x) => {
    if (!isTensor(x)) return x;
    const n = c.graph.outputs[o]!, storage = outputs[o++]!;
    return wrap(dataNode(new Value(sizeOf(n.shape), n.dtype, undefined, device, storage), n.shape));
  });
  return { started, result };
}

/**
 * A compiled version of `f`. Inside another trace it is `f` itself.
 *
 * Leaves of the arguments that are no tensors (numbers, strings, functions) are constants of the program: another value
 * compiles another program. Tensors that `f` closes over are read anew at every call.
 *
 * @throws {TypeError} if a donated tensor is given twice, or used again later.
 *
 * @example
 * ```ts
 * import { add, jit, mul, read, tensor, type Tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * const f = jit((x: Tensor<[2]>, y: Tensor<[2]>) => add(mul(x, x), y));
 * assertEquals([...await read(f(tensor([1, 2]), tensor([10, 20])))], [11, 24]);
 * ```
 */
export function jit<A extends readonly unknown[], R>(
  f: (...args: A) => R,
  options: JitOptions = {},
): Jitted<A, R> {
  const { donate = [] } = options;
  const cache = new Map<Device, Map<string, Compiled>>();
  const deviceFor = (args: A): Device => options.device ?? deviceOf(dataLeaves(nodesOf(args)));
  const prepare = (args: A): readonly [Compiled, Device] => {
    const device = deviceFor(args);
    if (!cache.has(device)) cache.set(device, new Map());
    const programs = cache.get(device)!, key = signatureOf(args);
    if (!programs.has(key)) {
      const traced = trace(f, args, donate);
      programs.set(key, { ...traced, program: device.compile(traced.graph) });
    }
    return [programs.get(key)!, device];
  };
  const call = (...args: A): R => {
    if (isTracing()) return f(...args);
    const [compiled, device] = prepare(args);
    const { program } = compiled;
    return run(compiled, args, device, donate, (from, to) => program.run(from, to)).result as R;
  };
  const explain = (...args: A): Explanation => {
    const [{ program, traceMs }] = prepare(args);
    return { ...program.explain(), traceMs };
  };
  const plan = (...args: A): Planned => {
    const { planner } = deviceFor(args), { graph, captured } = trace(f, args, donate);
    const capturedBytes = captured.reduce(
      (sum, n) => sum + planner.storageBytes(sizeOf(n.shape), n.dtype),
      0,
    );
    return { ...planner.plan(graph), capturedBytes };
  };
  const profile = async (...args: A): Promise<Profiled<R>> => {
    if (isTracing()) throw new TypeError("Cannot profile inside a trace: nothing runs there");
    const [compiled, device] = prepare(args), { program } = compiled;
    if (!program.profile) {
      throw new DeviceError(
        `Cannot profile on ${device.description}: it has no clock for kernels`,
        "absent",
      );
    }
    await device.synchronize();
    const { started, result } = run(
      compiled,
      args,
      device,
      donate,
      (from, to) => program.profile!(from, to),
    );
    return { result: result as R, times: await started };
  };
  return Object.assign(call, { explain, plan, profile });
}
