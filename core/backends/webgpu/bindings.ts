/**
 * The buffers of a shader. An element takes a word of u32, and a value is made from its word; where the device has halves,
 * f16 is WGSL's f16 and bf16 the upper half of an f32's word, two in each (`packed.ts`). Words in the text are those of f32 then too.
 *
 * @module
 */
import { scalarOf } from "../../dtype.ts";
import type { Node } from "../../graph/node.ts";
import type { Operand } from "../../plan/kernels.ts";
import { u32 } from "./address.ts";
import { loadPacked, packedElement, storePacked } from "./packed.ts";
import type { Target } from "./shader.ts";
import { fromWord, type Lanes, toWord, typeName } from "./wgsl_expr.ts";

/** The slot of a buffer. */
export type SlotOf = (n: Node) => number;

/** A buffer that a shader touches; `vector` if all its accesses may take four aligned elements at once. */
export interface Use {
  readonly node: Node;
  readonly write: boolean;
  readonly vector: boolean;
}

/** How elements lie in memory: a word each, as WGSL's f16, or as bf16 two in a word. */
type Layout = "word" | "f16" | "bf16";

/** Binding i is slots[i]; an element of its array holds lanes[i] elements of the tensor. */
export interface Bindings {
  readonly slots: readonly number[];
  readonly writes: readonly boolean[];
  readonly lanes: readonly Lanes[];
  readonly layouts: readonly Layout[];
  readonly slotOf: SlotOf;
  readonly target: Target;
}

/**
 * One binding a slot: WebGPU refuses a buffer that is bound twice and written, and an in-place update is just that. What
 * shares a slot in one kernel has one dtype. Counters have none.
 */
export function bind(uses: readonly Use[], slotOf: SlotOf, target: Target): Bindings {
  const real = uses.filter((u) => u.node.kind !== "iota");
  const slots = [...new Set(real.map((u) => slotOf(u.node)))];
  const of = (slot: number): Use[] => real.filter((u) => slotOf(u.node) === slot);
  const layoutOf = ({ node: { dtype } }: Use): Layout =>
    (dtype === "f16" || dtype === "bf16") && target.halves?.has(dtype) ? dtype : "word";
  return {
    slots,
    writes: slots.map((s) => of(s).some((u) => u.write)),
    lanes: slots.map((s) => of(s).every((u) => u.vector) ? 4 : 1),
    layouts: slots.map((s) => layoutOf(of(s)[0]!)),
    slotOf,
    target,
  };
}

function numberOf(bound: Bindings, node: Node): number {
  return bound.slots.indexOf(bound.slotOf(node));
}

/** Elements in one element of a buffer's binding; addresses count in this unit. */
export function unitOf(bound: Bindings, node: Node): Lanes {
  return node.kind === "iota" ? 1 : bound.lanes[numberOf(bound, node)]!;
}

function nameOf(bound: Bindings, node: Node): string {
  return `b${numberOf(bound, node)}`;
}

function layoutOf(bound: Bindings, node: Node): Layout {
  return node.kind === "iota" ? "word" : bound.layouts[numberOf(bound, node)]!;
}

/** Are the elements WGSL's f16? */
export function isF16(bound: Bindings, node: Node): boolean {
  return layoutOf(bound, node) === "f16";
}

/** What the binding holds at an address in its units; of a scalar binding, four that are `step` apart, as a vector of `type`. */
function gathered(
  bound: Bindings,
  node: Node,
  at: string,
  lanes: Lanes,
  step: number,
  type: string,
): string {
  const k = numberOf(bound, node), isPacked = layoutOf(bound, node) === "bf16";
  const one = (lane: number): string => {
    const index = lane * step === 0 ? at : `${at} + ${u32(lane * step)}`;
    if (node.kind === "iota") return `(${index})`;
    return isPacked
      ? loadPacked(`b${k}`, index, bound.lanes[k]!, bound.writes[k]!)
      : `b${k}[${index}]`;
  };
  if (lanes === 1 || unitOf(bound, node) === 4) return one(0);
  return step === 0 ? `${type}(${one(0)})` : `${type}(${[0, 1, 2, 3].map(one).join(", ")})`;
}

/** f16 values as they lie, of a buffer that `isF16`. */
export function loadF16(
  bound: Bindings,
  o: Operand,
  at: string,
  lanes: Lanes,
  step = 1,
): string {
  return gathered(bound, o.base, at, lanes, step, "vec4<f16>");
}

/** The words at an address in units of the binding; of a scalar binding, four that are `step` apart. */
export function loadWords(
  bound: Bindings,
  node: Node,
  at: string,
  lanes: Lanes,
  step = 1,
): string {
  if (!isF16(bound, node)) return gathered(bound, node, at, lanes, step, "vec4u");
  const held = gathered(bound, node, at, lanes, step, "vec4<f16>");
  return toWord(`${typeName("f32", lanes)}(${held})`, "f32", lanes);
}

/** The value of an operand at an address. */
export function load(bound: Bindings, o: Operand, at: string, lanes: Lanes, step = 1): string {
  if (isF16(bound, o.base)) {
    return `${typeName("f32", lanes)}(${loadF16(bound, o, at, lanes, step)})`;
  }
  return fromWord(loadWords(bound, o.base, at, lanes, step), scalarOf(o.base.dtype), lanes);
}

/** A statement that puts at an address what its binding holds. */
function put(bound: Bindings, node: Node, at: string, held: string, lanes: Lanes): string {
  const name = nameOf(bound, node), unit = unitOf(bound, node);
  const one = (index: string, value: string): string =>
    layoutOf(bound, node) === "bf16"
      ? storePacked(name, index, value, unit)
      : `${name}[${index}] = ${value};`;
  if (lanes === 1 || unit === 4) return one(at, held);
  const lane = [0, 1, 2, 3].map((l) => one(`w + ${l}u`, `v[${l}]`)).join(" ");
  return `{ let w = ${at}; let v = ${held}; ${lane} }`;
}

/** A statement that stores words at an address. */
export function storeWords(
  bound: Bindings,
  node: Node,
  at: string,
  words: string,
  lanes: Lanes,
): string {
  return isF16(bound, node)
    ? store(bound, node, at, fromWord(words, "f32", lanes), lanes)
    : put(bound, node, at, words, lanes);
}

/** A statement that stores a value at an address; one of f16 or bf16 is rounded already. */
export function store(
  bound: Bindings,
  node: Node,
  at: string,
  value: string,
  lanes: Lanes,
): string {
  return isF16(bound, node)
    ? put(bound, node, at, `${lanes === 4 ? "vec4<f16>" : "f16"}(${value})`, lanes)
    : storeWords(bound, node, at, toWord(value, scalarOf(node.dtype), lanes), lanes);
}

/** The declarations of all bindings. */
export function declarations(bound: Bindings): string {
  return bound.slots.map((_, i) => {
    const isWritten = bound.writes[i]!, lanes = bound.lanes[i]!, layout = bound.layouts[i]!;
    const access = isWritten ? "read_write" : "read";
    const element = layout === "bf16"
      ? packedElement(lanes, isWritten)
      : layout === "f16"
      ? lanes === 4 ? "vec4<f16>" : "f16"
      : lanes === 4
      ? "vec4u"
      : "u32";
    return `@group(0) @binding(${i}) var<storage, ${access}> b${i}: array<${element}>;`;
  }).join("\n");
}
