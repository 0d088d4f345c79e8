/**
 * The buffers of a shader. All hold words of u32, alone or four at a time; a value is made from its word.
 *
 * @module
 */
import { scalarOf } from "../../dtype.ts";
import type { Node } from "../../graph/node.ts";
import type { Operand } from "../../plan/kernels.ts";
import { u32 } from "./address.ts";
import { fromWord, type Lanes, toWord } from "./wgsl_expr.ts";

/** The slot of a buffer. */
export type SlotOf = (n: Node) => number;

/** A buffer that a shader touches; `vector` if all its accesses may take four aligned elements at once. */
export interface Use {
  readonly node: Node;
  readonly write: boolean;
  readonly vector: boolean;
}

/** Binding i is slots[i]; an element of its array holds lanes[i] words. */
export interface Bindings {
  readonly slots: readonly number[];
  readonly writes: readonly boolean[];
  readonly lanes: readonly Lanes[];
  readonly slotOf: SlotOf;
}

/** One binding a slot: WebGPU refuses a buffer that is bound twice and written, and an in-place update is just that. Counters have none. */
export function bind(uses: readonly Use[], slotOf: SlotOf): Bindings {
  const real = uses.filter((u) => u.node.kind !== "iota");
  const slots = [...new Set(real.map((u) => slotOf(u.node)))];
  const of = (slot: number): Use[] => real.filter((u) => slotOf(u.node) === slot);
  return {
    slots,
    writes: slots.map((s) => of(s).some((u) => u.write)),
    lanes: slots.map((s) => of(s).every((u) => u.vector) ? 4 : 1),
    slotOf,
  };
}

/** Words in one element of a buffer's binding; addresses count in this unit. */
export function unitOf(bound: Bindings, node: Node): Lanes {
  return node.kind === "iota" ? 1 : bound.lanes[bound.slots.indexOf(bound.slotOf(node))]!;
}

function nameOf(bound: Bindings, node: Node): string {
  return `b${bound.slots.indexOf(bound.slotOf(node))}`;
}

/** The words at an address in units of the binding; of a scalar binding, four that are `step` apart. */
export function loadWords(
  bound: Bindings,
  node: Node,
  at: string,
  lanes: Lanes,
  step = 1,
): string {
  const one = (lane: number): string => {
    const index = lane * step === 0 ? at : `${at} + ${u32(lane * step)}`;
    return node.kind === "iota" ? `(${index})` : `${nameOf(bound, node)}[${index}]`;
  };
  if (lanes === 1 || unitOf(bound, node) === 4) return one(0);
  return step === 0 ? `vec4u(${one(0)})` : `vec4u(${[0, 1, 2, 3].map(one).join(", ")})`;
}

/** The value of an operand at an address. */
export function load(bound: Bindings, o: Operand, at: string, lanes: Lanes, step = 1): string {
  return fromWord(loadWords(bound, o.base, at, lanes, step), scalarOf(o.base.dtype), lanes);
}

/** A statement that stores words at an address. */
export function storeWords(
  bound: Bindings,
  node: Node,
  at: string,
  words: string,
  lanes: Lanes,
): string {
  const name = nameOf(bound, node);
  if (lanes === 1 || unitOf(bound, node) === 4) return `${name}[${at}] = ${words};`;
  const lane = [0, 1, 2, 3].map((l) => `${name}[w + ${l}u] = v[${l}];`).join(" ");
  return `{ let w = ${at}; let v = ${words}; ${lane} }`;
}

/** A statement that stores a value at an address. */
export function store(
  bound: Bindings,
  node: Node,
  at: string,
  value: string,
  lanes: Lanes,
): string {
  return storeWords(bound, node, at, toWord(value, scalarOf(node.dtype), lanes), lanes);
}

/** The declarations of all bindings. */
export function declarations(bound: Bindings): string {
  return bound.slots.map((_, i) => {
    const access = bound.writes[i] ? "read_write" : "read";
    const element = bound.lanes[i] === 4 ? "vec4u" : "u32";
    return `@group(0) @binding(${i}) var<storage, ${access}> b${i}: array<${element}>;`;
  }).join("\n");
}
