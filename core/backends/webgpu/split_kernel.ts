/**
 * Kernels whose buffers are larger than a shader may bind (128 MiB on many adapters; a buffer may be larger), in parts that bind a
 * window of each. The space of a kernel is halved along the axis that spreads its widest operand most, until every window fits.
 *
 * - Maps, placements, batches, rows of a product: along the leading axes, and the others where a read is transposed.
 * - A gather from a long table: by ids; the first part stores zeros for what it does not find, the others leave that alone.
 * - A scatter into one: by ids; long updates in the order of n, each part adding to the one before.
 * - Column sums and long products: parts of the sum, in f32, add up in their order. So they may round otherwise than in one piece.
 * - Reduced rows that lie far apart: gathered first (spread_rows.ts).
 * - Hand-written kernels: their composites are computed instead (device.ts).
 *
 * A kernel within the limit is not looked at twice, and is what it was. Refused is a reduced row that is itself over the limit (the
 * planner makes two steps of long ones whose length has divisors), a kernel whose windows are more than a shader's bindings, as where
 * it reads many far places of one buffer, and a tensor of more than `maxBufferSize` (buffers.ts).
 *
 * Turned down: tensors as lists of buffers, which every kernel, copy, donation and program of everyone's would have to know; and
 * windows on leading rows alone, which serve neither a transposed read, nor a product's long sum, nor a table that is read anywhere.
 *
 * @module
 */
import { DeviceError } from "../../device/error.ts";
import type { FusedKernel } from "../../graph/fused_kernel.ts";
import { makeNode, type Node, show } from "../../graph/node.ts";
import { kernelLine, showBytes } from "../../plan/explain.ts";
import { type Kernel, readsOf, writesOf } from "../../plan/kernels.ts";
import { type Plan, wordsOf } from "../../plan/plan.ts";
import type { SlotOf } from "./bindings.ts";
import { type Part, wholePart } from "./part.ts";
import {
  isPure,
  movedPart,
  narrowedPart,
  type PartSpace,
  partSpace,
  type Use,
} from "./part_space.ts";
import type { Target } from "./shader.ts";
import { gatherRows } from "./spread_rows.ts";
import { elementBytes, type Window, WINDOW_STEP, windowOf, windowsOf } from "./windows.ts";

/** A part, and the windows that its nodes stand for; nodes that are not there stand for whole buffers. */
export interface Windowed {
  readonly part: Part;
  readonly windows: ReadonlyMap<Node, Window>;
}

/**
 * The parts of a kernel, in the order in which they run: the kernel itself, unless it touches a buffer over the limit. What its parts
 * hand each other is in the slot `temporary`.
 */
export function splitKernel(
  k: Kernel,
  slotOf: SlotOf,
  temporary: number,
  target: Target,
): readonly Windowed[] {
  if (isWithin(k, target)) return [{ part: k, windows: new Map() }];
  const { parts, copied } = k.kind === "row" && !isPure(k)
    ? gatherRows(k, target)
    : { parts: [wholePart(k)], copied: new Set<Node>() };
  const slots: SlotOf = (n) => copied.has(n) ? temporary : slotOf(n);
  return parts.flatMap((part) => cut(k, part, slots, target));
}

function isWithin(k: Kernel, { bindingBytes, halves }: Target): boolean {
  return [...readsOf(k), ...writesOf(k)].every((n) => 4 * wordsOf(n, halves) <= bindingBytes);
}

/** A part of a kernel in parts, none of which binds more than the limit. */
function cut(k: Kernel, whole: Part, slotOf: SlotOf, target: Target): Windowed[] {
  const out: Windowed[] = [], open: Part[] = [whole];
  while (open.length) {
    const part = open.pop()!, space = partSpace(part), windows = placesOf(part, slotOf, target);
    if (windows) {
      out.push(windowed(part, space, windows, target));
      continue;
    }
    const widest = widestOf(space, slotOf, target);
    // Smaller windows of one buffer may become one; those that are far smaller will not.
    const axis = widest.bytes > target.bindingBytes / 8 ? axisOf(space, widest.use) : undefined;
    if (axis === undefined) throw refusal(k, widest, target);
    const size = space.sizes[axis]!, half = halfOf(size);
    open.push(
      narrowedPart(part, axis, half, size - half),
      narrowedPart(part, axis, 0, half),
    );
  }
  return out;
}

/** The window of every use; null if they are too large or too many. */
function placesOf(
  part: Part,
  slotOf: SlotOf,
  { bindingBytes, bindings, halves }: Target,
): readonly (Window | undefined)[] | null {
  const windows = windowsOf(partSpace(part).uses, slotOf, bindingBytes, halves);
  const count = new Set(windows?.filter((w) => w !== undefined)).size;
  // Placed parts are bound a few at a time; every other kernel binds all that it touches.
  return part.kind === "place" || count <= bindings ? windows : null;
}

/** A use, and the bytes of its window. */
interface Sized {
  readonly use: Use;
  readonly bytes: number;
}

function widestOf({ uses }: PartSpace, slotOf: SlotOf, { halves }: Target): Sized {
  return uses.filter((u) => u.node.kind !== "iota")
    .map((use) => ({ use, bytes: windowOf(use, slotOf, halves).bytes }))
    .reduce((a, b) => b.bytes > a.bytes ? b : a);
}

/**
 * Hand-written kernels of a plan that would have to bind more than the limit, and why. They cannot be cut: their composites can.
 */
export function unfitKernels(plan: Plan, target: Target): ReadonlyMap<FusedKernel, string> {
  const slotOf: SlotOf = (n) => plan.slotOf.get(n)!;
  return new Map(plan.kernels.flatMap((k) => {
    if (k.kind !== "hand" || isWithin(k, target) || placesOf(k, slotOf, target)) return [];
    const widest = widestOf(partSpace(k), slotOf, target);
    return [[k.does, reason(widest, target)] as const];
  }));
}

/** The axis along which a use is spread most. */
function axisOf({ sizes, fixed }: PartSpace, use: Use): number | undefined {
  let best: number | undefined, most = 0;
  for (let axis = 0; axis < fixed; axis++) {
    const spread = Math.abs(use.strides[axis]!) * (use.sizes[axis]! - 1);
    if (sizes[axis]! < 2 || spread <= most) continue;
    [best, most] = [axis, spread];
  }
  return best;
}

/** About a half; of long axes whole windows, so that parts of one size have one text, and of others whole vectors. */
function halfOf(size: number): number {
  const step = size >= 4 * WINDOW_STEP ? WINDOW_STEP : size >= 16 ? 4 : 1;
  return Math.max(1, step * Math.round(size / 2 / step));
}

/** The part on nodes that stand for its windows. */
function windowed(
  part: Part,
  { uses }: PartSpace,
  places: readonly (Window | undefined)[],
  { halves }: Target,
): Windowed {
  const windows = new Map<Node, Window>(), nodes = new Map<string, Node>();
  const moved = uses.map((use, i) => {
    const { node, offset } = use, window = places[i];
    if (!window) return { node, offset };
    const key = `${node.id} ${window.offset}`, bytes = elementBytes(use, halves);
    const shape = [window.bytes / bytes], { dtype } = node;
    const stands = nodes.get(key) ?? makeNode({ kind: "input", shape, dtype, inputs: [] });
    nodes.set(key, stands);
    windows.set(stands, window);
    return { node: stands, offset: offset - window.offset / bytes };
  });
  return { part: movedPart(part, moved), windows };
}

function reason({ use: { node }, bytes }: Sized, target: Target): string {
  const most = showBytes(target.bindingBytes);
  return bytes > target.bindingBytes
    ? `it needs ${showBytes(bytes)} of ${node.dtype} ${
      show(node.shape)
    } at once, and a shader binds at most ${most} of a buffer`
    : `in windows of ${most} its operands would be more than ${target.bindings} buffers`;
}

function refusal(k: Kernel, widest: Sized, target: Target): DeviceError {
  const [what] = kernelLine(k).split(":");
  return new DeviceError(
    `Cannot run ${what} on this adapter: ${
      reason(widest, target)
    }; take a smaller batch or another device`,
    "limit",
  );
}
