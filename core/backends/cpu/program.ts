/**
 * A plan as one WebAssembly module: run(thread, threads, table) goes through the kernels in order, takes its part of each, and waits
 * for the other threads only where a buffer is handed from one to another. Addresses stand in the table, so that one module
 * serves every binding: word 0 is the space for packed panels, word 1 the scratch memory, word 2 + i slot i. A word is as long as
 * an address.
 *
 * The first thread also calls out when results are complete that others may read while the program goes on: at the next meeting of the
 * threads after the last kernel that writes them, or at once where it did that alone. No thread waits for it.
 *
 * A timed program does the same work, but all threads meet after every step, and thread 0 tells the time.
 *
 * @module
 */
import { type Kernel, readsOf, writesOf } from "../../plan/kernels.ts";
import type { Plan } from "../../plan/plan.ts";
import { attentionStage } from "./attention.ts";
import { attentionGradStage } from "./attention_grad.ts";
import { barrierFunction } from "./barrier.ts";
import { columnStage } from "./column.ts";
import {
  call,
  type Code,
  type Encoded,
  encoded,
  encodeModule,
  get,
  I32,
  i32,
  type MemoryLimits,
  set,
  when,
} from "./encoder.ts";
import { gatherStage, scatterStage } from "./gather_scatter.ts";
import { gemmHelpers, IMPORTS, imports, MARK, TICK } from "./gemm.ts";
import { matmulStage } from "./matmul.ts";
import { packedHelpers } from "./packed.ts";
import { copyStage, placeStages } from "./place.ts";
import { makeLocals, type Pointers, pointersOf } from "./pointers.ts";
import { rowStage } from "./row.ts";
import { END } from "./memory.ts";
import type { Stage } from "./stage.ts";

/** Words of a table before its slots. */
export const TABLE_HEAD = 2;
const THREAD = 0, THREADS = 1, TABLE = 2;

/** A program's code, and what it needs to run. */
export interface Assembled {
  readonly module: WebAssembly.Module;
  readonly scratchBytes: number;
  /** Space that each thread needs for itself. */
  readonly threadBytes: number;
  /** Nanoseconds on one thread, roughly. */
  readonly cost: number;
  /** Of these, what threads share. */
  readonly shared: number;
  readonly barriers: number;
  /** The mark at which the contents of a slot are complete, by slot; none of scratch, and where nothing is written. */
  readonly marks: readonly (number | undefined)[];
  /** Number of every step's kernel; undefined for a copy. A timed program tells the time before the first step and after each. */
  readonly kernels: readonly (number | undefined)[];
}

/** The stages of a kernel: those of one step need no barrier between them. */
function stagesOf(k: Kernel, threads: number, blas: boolean): readonly (readonly Stage[])[] {
  switch (k.kind) {
    case "row":
      return [[rowStage(k)]];
    case "column":
      return [[columnStage(k)]];
    case "matmul":
      return [[matmulStage(k, threads, blas)]];
    case "gather":
      return [[gatherStage(k)]];
    case "scatter":
      return [[scatterStage(k, threads)]];
    case "place":
      return placeStages(k);
    case "hand":
      return [[k.does.op === "attention" ? attentionStage(k, blas) : attentionGradStage(k, blas)]];
  }
}

/** A step of the program: stages that may run at the same time, and the slots that they touch. */
interface Step {
  readonly kernel: number | undefined;
  readonly stages: readonly Stage[];
  /** Slot of each pointer of each stage. */
  readonly slots: readonly (readonly number[])[];
  readonly reads: readonly number[];
  readonly writes: readonly number[];
  readonly parallel: boolean;
}

function stepsOf(plan: Plan, { threads, serial, blas }: AssembleOptions): Step[] {
  const slot = (base: Parameters<Plan["slotOf"]["get"]>[0]): number => plan.slotOf.get(base) ?? -1;
  const isParallel = (stages: readonly Stage[]): boolean =>
    threads > 1 && stages.some((s) => s.cost >= serial && s.units > s.quantum);
  const kernels = plan.kernels.flatMap((k, kernel) =>
    stagesOf(k, threads, blas).map((stages): Step => ({
      kernel,
      stages,
      slots: stages.map((s) => s.pointers.map((p) => slot(p.base))),
      reads: readsOf(k).map(slot),
      writes: writesOf(k).map(slot),
      parallel: isParallel(stages),
    }))
  );
  const copies = plan.copies.map(({ node, from, to }): Step => {
    const stages = [copyStage(node)];
    return {
      kernel: undefined,
      stages,
      slots: [[from, to]],
      reads: [from],
      writes: [to],
      parallel: isParallel(stages),
    };
  });
  return [...kernels, ...copies];
}

const costOf = (stages: readonly Stage[]): number => stages.reduce((sum, s) => sum + s.cost, 0);

/** Which steps must wait for all threads: those that touch what another thread may have written, or write what one may have read. */
function handOvers(steps: readonly Step[]): boolean[] {
  const written = new Map<number, boolean>(), read = new Map<number, boolean>();
  return steps.map(({ reads, writes, parallel }) => {
    // What thread 0 alone did, it may go on with alone.
    const crosses = (seen: ReadonlyMap<number, boolean>, slot: number): boolean =>
      seen.has(slot) && (parallel || seen.get(slot)!);
    const waits = reads.some((s) => crosses(written, s)) ||
      writes.some((s) => crosses(written, s) || crosses(read, s));
    if (waits) {
      written.clear();
      read.clear();
    }
    reads.forEach((s) => read.set(s, parallel || read.get(s) === true));
    writes.forEach((s) => written.set(s, parallel || written.get(s) === true));
    return waits;
  });
}

/** What is complete before a step, or between it and the next: a mark each, from 1, and that of every slot which is no scratch. */
function marksOf(steps: readonly Step[], waits: readonly boolean[], { slots }: Plan): {
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly bySlot: readonly (number | undefined)[];
} {
  const before: number[] = [], after: number[] = [], last = new Map<number, number>();
  steps.forEach(({ writes }, i) => {
    for (const slot of writes) if (slots[slot] && slots[slot].role !== "scratch") last.set(slot, i);
  });
  const bySlot: (number | undefined)[] = slots.map((_, slot) => last.has(slot) ? END : undefined);
  let open: number[] = [], count = 0;
  const pass = (slots: readonly number[]): number => {
    if (slots.length === 0) return 0;
    count++;
    for (const slot of slots) bySlot[slot] = count;
    return count;
  };
  steps.forEach(({ writes, parallel }, i) => {
    before.push(waits[i] ? pass(open) : 0);
    if (waits[i]) open = [];
    const complete = [...new Set(writes)].filter((slot) => last.get(slot) === i);
    if (parallel) open.push(...complete);
    after.push(parallel || i === steps.length - 1 ? 0 : pass(complete));
  });
  return { before, after, bySlot };
}

/** Where each slot of scratch memory starts, and the size of all. */
function layOut(plan: Plan): { readonly offsets: readonly number[]; readonly bytes: number } {
  let bytes = 0;
  const offsets = plan.slots.map(({ role, words }) => {
    if (role !== "scratch") return 0;
    const here = bytes;
    bytes += Math.ceil(words / 16) * 64;
    return here;
  });
  return { offsets, bytes };
}

/** Functions by what they do, so that equal kernels of all programs are written once. The oldest are forgotten. */
const written = new Map<string, Encoded>();
const KEPT = 4096;

function functionOf(stage: Stage, ptr: Pointers): Encoded {
  const key = `${ptr.wide ? "wide " : ""}${stage.key}`, found = written.get(key);
  if (found) return found;
  const made = encoded(stage.write(ptr));
  written.set(key, made);
  if (written.size > KEPT) written.delete(written.keys().next().value!);
  return made;
}

/** What a program is made for. */
export interface AssembleOptions {
  /** The most that run it. */
  readonly threads: number;
  /** Stages of fewer nanoseconds run on one thread, as meeting the others costs more. */
  readonly serial: number;
  /** The import does products. */
  readonly blas: boolean;
  /** Tell the times; the word behind the slots of the table says where they go, one f64 each. */
  readonly timed?: boolean;
}

/** What a plan's program needs beside inputs and results: the scratch memory of all, and what every thread has for itself. */
export function workspaceOf(
  plan: Plan,
  options: AssembleOptions,
): Pick<Assembled, "scratchBytes" | "threadBytes"> {
  const stages = stepsOf(plan, options).flatMap((s) => s.stages);
  return {
    scratchBytes: layOut(plan).bytes,
    threadBytes: stages.reduce((most, s) => Math.max(most, s.threadBytes), 0),
  };
}

/** A plan's module. */
export function assemble(
  plan: Plan,
  limits: MemoryLimits,
  options: AssembleOptions,
): Assembled {
  const steps = stepsOf(plan, options),
    waits = handOvers(steps),
    marks = marksOf(steps, waits, plan),
    { offsets, bytes } = layOut(plan);
  const all = steps.flatMap((s) => s.stages),
    threadBytes = all.reduce((most, s) => Math.max(most, s.threadBytes), 0);
  const ptr = pointersOf(limits);
  const fns: Encoded[] = threadBytes ? [...gemmHelpers(ptr), ...packedHelpers(ptr)] : [];
  const add = (f: Encoded): number => IMPORTS + fns.push(f) - 1;
  const barrier = add(barrierFunction(ptr));
  const numbers = new Map<string, number>();
  const numberOf = (stage: Stage): number => {
    let n = numbers.get(stage.key);
    if (n === undefined) numbers.set(stage.key, n = add(functionOf(stage, ptr)));
    return n;
  };

  const locals = makeLocals(ptr, [I32, I32, ptr.type]);
  const first = locals.i32(), end = locals.i32();
  const word = (i: number): Code => ptr.load(get(TABLE), ptr.bytes * i);
  const address = (slot: number, offset: number): Code => {
    if (slot < 0) return ptr.of(offset);
    const isScratch = plan.slots[slot]!.role === "scratch";
    const bytes = offset + offsets[slot]!, base = word(isScratch ? 1 : TABLE_HEAD + slot);
    return bytes ? ptr.add(base, ptr.of(bytes)) : base;
  };
  const panels = ptr.add(word(0), ptr.from(i32.mul(get(THREAD), i32.of(threadBytes))));
  const callStage = (stage: Stage, slots: readonly number[], parallel: boolean): Code => {
    const invoke = (from: Code, to: Code): Code =>
      call(
        numberOf(stage),
        from,
        to,
        ...stage.pointers.map((p, i) => address(slots[i]!, p.offset)),
        ...(stage.threadBytes ? [panels] : []),
      );
    if (!parallel) return invoke(i32.of(0), i32.of(stage.units));
    // Whole quanta, as equal as they can be: ceil(quanta / threads) each until none is left.
    const quanta = i32.of(Math.ceil(stage.units / stage.quantum) - 1);
    const share = i32.mul(
      i32.add(i32.divU(quanta, get(THREADS)), i32.of(1)),
      i32.of(stage.quantum),
    );
    return [
      set(first, i32.mul(get(THREAD), share)),
      set(end, i32.minU(i32.add(get(first), share), i32.of(stage.units))),
      when(i32.ltU(get(first), get(end)), invoke(get(first), get(end))),
    ];
  };
  const wait = when(i32.ltU(i32.of(1), get(THREADS)), call(barrier, get(THREADS)));
  const times = word(TABLE_HEAD + plan.slots.length);
  /** All threads meet, and the first writes time number `i`. */
  const meet = (i: number): Code => [
    wait,
    when(get(THREAD), [], call(TICK, ptr.add(times, ptr.of(8 * i)))),
  ];
  const pass = (mark: number): Code =>
    mark === 0 ? [] : when(get(THREAD), [], call(MARK, i32.of(mark)));
  const body = steps.map((s, i): Code => {
    const work = s.stages.map((stage, j) => callStage(stage, s.slots[j]!, s.parallel));
    const done = s.parallel ? work : when(get(THREAD), [], work);
    if (options.timed) return [done, meet(i + 1)];
    return [waits[i] ? wait : [], pass(marks.before[i]!), done, pass(marks.after[i]!)];
  });
  const whole = [options.timed ? meet(0) : [], body, wait];
  add(encoded({ params: locals.params, locals: locals.types, body: whole }));
  return {
    module: new WebAssembly.Module(encodeModule(fns, limits, imports(ptr))),
    scratchBytes: bytes,
    threadBytes,
    cost: costOf(all),
    shared: costOf(steps.flatMap((s) => s.parallel ? s.stages : [])),
    barriers: waits.filter((w) => w).length + 1,
    marks: options.timed ? marks.bySlot.map((mark) => mark && END) : marks.bySlot,
    kernels: steps.map((s) => s.kernel),
  };
}
