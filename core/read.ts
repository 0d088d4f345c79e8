/**
 * From tensors to numbers, between devices, and out of memory.
 *
 * @module
 */
import type { DType, HostArrays } from "./dtype.ts";
import type { Device } from "./device/device.ts";
import { adopt, collect, Value } from "./device/value.ts";
import { concrete, dataNode } from "./execute.ts";
import { isTensor, nodeOf, type Tensor, wrap } from "./tensor.ts";
import { leaves, mapTree, type Tree } from "./tree.ts";

/**
 * The elements of a tensor, row by row, once they are computed. f16 and bf16 come as their bits, bool as 0 and 1.
 *
 * Units: on `webgpu` one read costs about 12 ms, whatever its size: gather what you want to see, and read it seldom.
 *
 * @throws {TypeError} inside a trace, where there is nothing to read yet; or if the tensor was disposed or donated.
 *
 * @example
 * ```ts
 * import { matmul, read, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * const c = matmul(tensor([[1, 2]]), tensor([[3], [4]]));
 * assertEquals([...await read(c)], [11]);
 * ```
 */
export async function read<S, D extends DType>(x: Tensor<S, D>): Promise<HostArrays[D]> {
  const n = nodeOf(x);
  if (n.traced) {
    throw new TypeError(
      "Cannot read a traced tensor: return it from the function and read the result",
    );
  }
  const found = concrete(n), data = await found.value.read();
  if (found !== n) found.value.dispose();
  return data as HostArrays[D];
}

/** The number in a tensor of one element. */
export async function readNumber(x: Tensor<[], "f32">): Promise<number> {
  return (await read(x))[0]!;
}

/** The same values on another device. Values that are already there are shared, not copied. */
export async function toDevice<T>(tree: T, device: Device): Promise<T> {
  const found = leaves(tree as Tree<unknown>).filter(isTensor).map((x) => concrete(nodeOf(x)));
  const moved = await Promise.all(found.map(async (n) => {
    if (n.value.device === device) return n;
    const value = new Value(n.value.size, n.dtype, await n.value.read());
    value.on(device);
    return dataNode(value, n.shape);
  }));
  let i = 0;
  return mapTree(tree as Tree<unknown>, (x) => isTensor(x) ? wrap(moved[i++]!) : x) as T;
}

/** Frees the memory of a tree's tensors now. Using them afterwards is an error. */
export function dispose(tree: unknown): void {
  for (const x of leaves(tree as Tree<unknown>)) {
    const n = isTensor(x) ? nodeOf(x) : undefined;
    if (n?.kind === "data") n.value.dispose();
  }
}

/** A region whose tensors are freed at its end, but for those that are kept. */
export interface Scope extends Disposable {
  /** Lets the tensors of a tree outlive the scope; returns the tree. */
  keep<T>(tree: T): T;
}

/**
 * Opens a scope: tensors made from now on are freed when it ends, unless kept. Without a scope the garbage
 * collector frees them, at some time.
 *
 * @example
 * ```ts
 * import { add, read, scope, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * function sumOfThree() {
 *   using s = scope();
 *   const partial = add(tensor([1]), tensor([2]));
 *   return s.keep(add(partial, tensor([3])));
 * }
 * assertEquals([...await read(sumOfThree())], [6]);
 * ```
 */
export function scope(): Scope {
  const end = collect(), kept = new Set<Value>();
  return {
    keep<T>(tree: T): T {
      for (const x of leaves(tree as Tree<unknown>)) if (isTensor(x)) keepNode(x, kept);
      return tree;
    },
    [Symbol.dispose](): void {
      const made = end();
      for (const value of made) if (!kept.has(value)) value.dispose();
      adopt([...kept].filter((value) => made.has(value)));
    },
  };
}

/** A view keeps what it looks at. */
function keepNode(x: Parameters<typeof nodeOf>[0], kept: Set<Value>): void {
  const stack = [nodeOf(x)];
  for (let n = stack.pop(); n; n = stack.pop()) {
    if (n.kind === "data") kept.add(n.value);
    stack.push(...n.inputs);
  }
}
