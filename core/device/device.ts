/**
 * What a backend is. A device owns memory and compiles graphs into programs; values (parameters, optimiser
 * state) live on it once and are shared by all its programs.
 *
 * @module
 */
import type { DType, HostArray } from "../dtype.ts";
import type { Node } from "../graph/node.ts";

/** The names users choose devices by. */
export type DeviceKind = "cpu" | "webgpu" | "reference";

/** Memory on a device; only its device knows what is inside. */
export interface Storage {
  readonly bytes: number;
}

/** What is compiled: leaves that are bound at run time, results, and which result may take which leaf's memory. */
export interface Graph {
  readonly inputs: readonly Node[];
  readonly outputs: readonly Node[];
  /** Output number -> input number. The caller no longer uses that input; shapes and dtypes are equal. */
  readonly donations: ReadonlyMap<number, number>;
}

/** Figures of a compiled program, for people. */
export interface Explanation {
  readonly kernels: number;
  /** Bytes of intermediate results, after reuse. */
  readonly scratchBytes: number;
  readonly planMs: number;
  readonly codegenMs: number;
  /** A line a kernel: what it is, reads and writes. */
  readonly lines: readonly string[];
}

/** A compiled graph. */
export interface Program {
  /**
   * Runs once. Storage of a donated output is the storage of its input. On an asynchronous device this
   * returns before the work is done; reads and later runs of the same device come after it.
   */
  run(inputs: readonly Storage[], outputs: readonly Storage[]): void;
  explain(): Explanation;
  destroy(): void;
}

/** A backend in use. */
export interface Device {
  readonly kind: DeviceKind;
  /** One line for people: adapter or threads. */
  readonly description: string;
  allocate(size: number, dtype: DType): Storage;
  /** May be called while programs that use the storage are still queued. */
  free(storage: Storage): void;
  write(storage: Storage, data: HostArray, dtype: DType): void;
  read(storage: Storage, size: number, dtype: DType): Promise<HostArray>;
  compile(graph: Graph): Program;
  /** Resolves when everything queued has run; rejects with a typed error if something failed. */
  synchronize(): Promise<void>;
  /** Bytes allocated and not freed (scratch memory of programs not counted), and the number of storages. */
  usage(): { readonly bytes: number; readonly storages: number };
  destroy(): void;
}
