/**
 * The order of kernels, chosen for memory: the order of the program, except that a kernel that frees as much as it fills
 * runs as soon as it can, and one that fills more than it could free waits until it is needed. Readers of a donated input
 * run before the kernel that overwrites it.
 *
 * @module
 */
import { bytesOf } from "../dtype.ts";
import { type Node, sizeOf } from "../graph/node.ts";
import { inPlaceStore } from "./in_place.ts";
import { type Kernel, readsOf, writesOf } from "./kernels.ts";

/** A kernel, and the buffers that must be full before it runs though it does not read them. */
export interface Task {
  readonly kernel: Kernel;
  readonly after: readonly Node[];
}

interface Step {
  readonly kernel: Kernel;
  readonly reads: readonly Node[];
  readonly writes: readonly Node[];
  readonly before: Set<Step>;
  readonly next: Set<Step>;
  /** Steps before it that have not run. */
  waits: number;
  done: boolean;
  place: number;
}

function depend(first: Step, then: Step): void {
  if (first === then) return;
  then.before.add(first);
  first.next.add(then);
}

function stepsOf(tasks: readonly Task[]): { steps: Step[]; readers: Map<Node, Set<Step>> } {
  const writer = new Map<Node, Step>(), readers = new Map<Node, Set<Step>>();
  const steps = tasks.map(({ kernel }): Step => ({
    kernel,
    reads: [...new Set(readsOf(kernel))],
    writes: writesOf(kernel),
    before: new Set(),
    next: new Set(),
    waits: 0,
    done: false,
    place: 0,
  }));
  for (const s of steps) for (const n of s.writes) writer.set(n, s);
  steps.forEach((s, i) => {
    for (const n of s.reads) {
      readers.set(n, (readers.get(n) ?? new Set()).add(s));
      if (writer.has(n)) depend(writer.get(n)!, s);
    }
    for (const n of tasks[i]!.after) if (writer.has(n)) depend(writer.get(n)!, s);
  });
  return { steps, readers };
}

/** Runs `step` after all that it waits for, which is run first. */
function runWith(step: Step, run: (s: Step) => void): void {
  const stack = [step];
  while (stack.length) {
    const s = stack.at(-1)!, open = [...s.before].filter((b) => !b.done);
    if (s.done || !open.length) {
      stack.pop();
      if (!s.done) run(s);
    } else stack.push(...open.sort((p, q) => q.place - p.place));
  }
}

function reaches(from: Step, to: Step): boolean {
  const seen = new Set<Step>([from]), stack = [from];
  while (stack.length) {
    for (const n of stack.pop()!.next) {
      if (n === to) return true;
      if (!seen.has(n)) seen.add(n), stack.push(n);
    }
  }
  return false;
}

/** Lets every kernel that overwrites a donated input wait for the input's other readers, unless one of them needs its result. */
function overwriteLast(
  steps: readonly Step[],
  readers: ReadonlyMap<Node, ReadonlySet<Step>>,
  donors: ReadonlyMap<Node, Node>,
): void {
  const backwards: [Step, Step][] = [];
  for (const s of steps) {
    for (const n of s.writes) {
      const donor = donors.get(n);
      if (!donor || !inPlaceStore(s.kernel, donor, n)) continue;
      for (const r of readers.get(donor) ?? []) {
        if (r.place < s.place) depend(r, s);
        else if (r !== s) backwards.push([r, s]);
      }
    }
  }
  for (const [r, s] of backwards) if (!reaches(s, r)) depend(r, s);
}

/** The kernels in order. `bound` are buffers that take no scratch: inputs and outputs. */
export function ordered(
  tasks: readonly Task[],
  bound: ReadonlySet<Node>,
  donors: ReadonlyMap<Node, Node>,
): Kernel[] {
  const { steps, readers } = stepsOf(tasks);
  let place = 0;
  for (const s of steps) {
    runWith(s, (x) => {
      x.place = place++;
      x.done = true;
    });
  }
  overwriteLast(steps, readers, donors);
  const bytes = (n: Node): number => bound.has(n) ? 0 : bytesOf(n.dtype) * sizeOf(n.shape);
  const total = (nodes: readonly Node[]): number => nodes.reduce((sum, n) => sum + bytes(n), 0);
  for (const s of steps) {
    s.done = false;
    s.waits = s.before.size;
  }
  const out: Kernel[] = [];
  /** Would running these now free at least what they fill? Freed is what nothing else reads any more. */
  const gains = (run: readonly Step[]): boolean => {
    const read = new Set(run.flatMap((s) => s.reads)), written = run.flatMap((s) => s.writes);
    const dies = (n: Node): boolean => [...readers.get(n)!].every((r) => run.includes(r));
    return total([...read].filter(dies)) >= total(written);
  };
  /**
   * Steps that can run with it because one step reads all that they fill and fills no scratch itself: parts of a gradient, and
   * their addition to a sum. Undefined if some of them cannot run yet.
   */
  const parts = (s: Step): readonly Step[] | undefined => {
    const [sink, ...others] = s.next;
    if (!sink || others.length > 0 || total(sink.writes) > 0) return undefined;
    const open = [...sink.before].filter((b) => !b.done);
    const ready = open.every((b) => b.waits === 0 && b.next.size === 1);
    return ready && gains([...open, sink]) ? open : undefined;
  };
  /** What should run as soon as this can: it, perhaps with other steps, if that takes no memory. */
  const cheap = (s: Step): readonly Step[] => {
    if (s.done || s.waits > 0) return [];
    return gains([s]) ? [s] : parts(s) ?? [];
  };
  const run = (first: Step): void => {
    const queue = [first];
    while (queue.length) {
      const s = queue.pop()!;
      if (s.done) continue;
      s.done = true;
      out.push(s.kernel);
      const candidates: Step[] = [];
      for (const n of s.next) if (--n.waits === 0) candidates.push(n);
      for (const n of s.reads) {
        const left = readers.get(n)!;
        left.delete(s);
        if (left.size === 1) candidates.push(...left);
      }
      queue.push(...new Set(candidates.flatMap(cheap).sort((p, q) => q.place - p.place)));
    }
  };
  const order = [...steps].sort((p, q) => p.place - q.place);
  for (const s of order) if (!s.done && total(s.reads) >= total(s.writes)) runWith(s, run);
  for (const s of order) runWith(s, run);
  return out;
}
