/**
 * What a backend is. A device owns memory and compiles graphs into programs; values (parameters, optimiser
 * state) live on it once and are shared by all its programs.
 *
 * @module
 */
import type { DType, HostArray } from "../dtype.ts";
import type { Node } from "../graph/node.ts";
import type { Planner } from "./planner.ts";

/** The names users choose devices by. */
export type DeviceKind = "cpu" | "webgpu" | "reference";

/** Memory on a device; only its device knows what is inside. */
export interface Storage {
  /** Its size. */
  readonly bytes: number;
}

/** What is compiled: leaves that are bound at run time, results, and which result may take which leaf's memory. */
export interface Graph {
  /** @internal */
  readonly inputs: readonly Node[];
  /** @internal */
  readonly outputs: readonly Node[];
  /** Output number -> input number. The caller no longer uses that input; shapes and dtypes are equal. */
  readonly donations: ReadonlyMap<number, number>;
}

/** Figures of a plan, for people. The reference plans nothing: its figures of memory and work are 0. */
export interface PlanFigures {
  /** Kernels that one run starts. */
  readonly kernels: number;
  /** A line a kernel: what it is, reads and writes. Kernels that do the same have the same line. */
  readonly lines: readonly string[];
  /** A line for every hand-written kernel that the device does not have or turns down: it computes the composite, and why. */
  readonly composed: readonly string[];
  /** Bytes of intermediate results alive while each kernel runs, in the order of `lines`. */
  readonly liveBytes: readonly number[];
  /** The most of them at once. */
  readonly peakBytes: number;
  /** Bytes that intermediate results take, after reuse: the peak, and what reuse could not fill. */
  readonly scratchBytes: number;
  /** Bytes that the kernels read and write in one run, an element of f16 or bf16 as two. */
  readonly trafficBytes: number;
  /** Multiplications and additions of products and attention in one run; what goes element by element is not counted. */
  readonly flops: number;
}

/** Figures of a compiled program, for people. */
export interface ProgramFigures extends PlanFigures {
  /** Milliseconds that planning took. */
  readonly planMs: number;
  /** Milliseconds that generating code took. */
  readonly codegenMs: number;
  /** Bytes that threads take for themselves while a program runs, all together, on a device that has them. */
  readonly threadBytes?: number;
}

/** Figures of a compiled function, for people. */
export interface Explanation extends ProgramFigures {
  /** Milliseconds that tracing the function took. */
  readonly traceMs: number;
}

/** When a device ran a kernel, or a part of it, in microseconds since the first of the run began. */
export interface KernelTime {
  /** Number of its line in `PlanFigures.lines`. */
  readonly kernel: number;
  /** When it began. */
  readonly startUs: number;
  /** When it ended. */
  readonly endUs: number;
}

/** A compiled graph. */
export interface Program {
  /**
   * Runs once. Storage of a donated output is the storage of its input. On an asynchronous device this
   * returns before the work is done; reads and later runs of the same device come after it.
   */
  run(inputs: readonly Storage[], outputs: readonly Storage[]): void;
  /**
   * Runs once as `run` does, and tells when the device ran each kernel; a kernel of several dispatches has several times.
   * Absent where the device has no clock for kernels.
   */
  profile?(
    inputs: readonly Storage[],
    outputs: readonly Storage[],
  ): Promise<readonly KernelTime[]>;
  /** What it consists of. */
  explain(): ProgramFigures;
  /** Frees its memory. */
  destroy(): void;
}

/** A backend in use. */
export interface Device {
  /** Which backend it is. */
  readonly kind: DeviceKind;
  /** One line for people: adapter or threads. */
  readonly description: string;
  /** Memory for `size` elements. */
  allocate(size: number, dtype: DType): Storage;
  /** May be called while programs that use the storage are still queued. */
  free(storage: Storage): void;
  /** Copies elements from the host. */
  write(storage: Storage, data: HostArray, dtype: DType): void;
  /** Copies elements to the host, once what was queued before has written them: the program that does may still go on. */
  read(storage: Storage, size: number, dtype: DType): Promise<HostArray>;
  /** Compiles a graph. */
  compile(graph: Graph): Program;
  /** Says what programs and values would take. */
  readonly planner: Planner;
  /** Resolves when everything queued has run; rejects with a typed error if something failed. */
  synchronize(): Promise<void>;
  /** Bytes allocated and not freed (scratch memory of programs not counted), and the number of storages. */
  usage(): { readonly bytes: number; readonly storages: number };
  /** The most bytes that were taken at once so far: storages, scratch memory of programs, and what is kept of freed ones. */
  peakBytes(): number;
  /** Frees everything; nothing of it may be used afterwards. */
  destroy(): void;
}
