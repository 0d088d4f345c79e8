/**
 * Kernels whose buffers are larger than a shader may bind (128 MiB on many adapters; a buffer may be larger), in parts that bind a
 * window of each. The space of a kernel is halved along the axis that spreads its widest operand most, until every window fits: rows
 * of a long tensor, both axes of a transposed one, the ids of a table, the terms of a long sum, whose parts add up in their order.
 * A kernel within the limit is not looked at twice, and is what it was.
 *
 * Turned down: tensors as lists of buffers, which every kernel, copy, donation and program of everyone's would have to know; and
 * windows on leading rows alone, which serve neither a transposed read, nor a product's long sum, nor a table that is read anywhere.
 *
 * What needs more than the limit for one element is refused: a row that is reduced, or a hand-written kernel's operand.
 *
 * @module
 */
import { DeviceError } from "../../device/error.ts";
import { makeNode, type Node, show } from "../../graph/node.ts";
import { kernelLine, showBytes } from "../../plan/explain.ts";
import { type Kernel, readsOf, writesOf } from "../../plan/kernels.ts";
import { wordsOf } from "../../plan/plan.ts";
import type { SlotOf } from "./bindings.ts";
import { type Part, wholePart } from "./part.ts";
import { movedPart, narrowedPart, partSpace, type PartSpace, type Use } from "./part_space.ts";
import type { Target } from "./shader.ts";
import { elementBytes, type Window, WINDOW_STEP, windowOf, windowsOf } from "./windows.ts";

/** A part, and the windows that its nodes stand for; nodes that are not there stand for whole buffers. */
export interface Windowed {
  readonly part: Part;
  readonly windows: ReadonlyMap<Node, Window>;
}

/** The parts of a kernel, in the order in which they run: the kernel itself, unless it touches a buffer over the limit. */
export function splitKernel(k: Kernel, slotOf: SlotOf, target: Target): readonly Windowed[] {
  const most = target.bindingBytes, { halves } = target;
  if ([...readsOf(k), ...writesOf(k)].every((n) => 4 * wordsOf(n, halves) <= most)) {
    return [{ part: k, windows: new Map() }];
  }
  const out: Windowed[] = [], open: Part[] = [wholePart(k)];
  while (open.length) {
    const part = open.pop()!, space = partSpace(part);
    const windows = windowsOf(space.uses, slotOf, most, halves);
    if (windows && fewEnough(part, windows, target)) {
      out.push(windowed(part, space, windows, target));
      continue;
    }
    const widest = space.uses.filter((u) => u.node.kind !== "iota")
      .map((use) => ({ use, bytes: windowOf(use, slotOf, halves).bytes }))
      .reduce((a, b) => b.bytes > a.bytes ? b : a);
    const axis = widest.bytes > most ? axisOf(space, widest.use) : undefined;
    if (axis === undefined) throw refusal(k, widest.use, widest.bytes, target);
    const size = space.sizes[axis]!, half = halfOf(size);
    open.push(
      narrowedPart(part, axis, half, size - half),
      narrowedPart(part, axis, 0, half),
    );
  }
  return out;
}

/** Placed parts are bound a few at a time; every other kernel binds all that it touches. */
function fewEnough(
  part: Part,
  windows: readonly (Window | undefined)[],
  target: Target,
): boolean {
  const count = new Set(windows.filter((w) => w !== undefined)).size;
  return part.kind === "place" || count <= target.bindings;
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

function refusal(k: Kernel, { node }: Use, bytes: number, target: Target): DeviceError {
  const most = showBytes(target.bindingBytes), [what] = kernelLine(k).split(":");
  const why = bytes > target.bindingBytes
    ? `it needs ${showBytes(bytes)} of ${node.dtype} ${show(node.shape)} at once`
    : `in windows of ${most} its operands would be more than ${target.bindings} buffers`;
  return new DeviceError(
    `Cannot run ${what} on this adapter: ${why}, and a shader binds at most ${most} of a buffer; take a smaller batch or another device`,
    "limit",
  );
}
