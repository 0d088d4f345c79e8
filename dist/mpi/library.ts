/**
 * MPI's library, opened by FFI: the calls that are used, as functions, for any of the binary interfaces.
 *
 * @module
 */
import { DistError } from "../error.ts";
import {
  type Abi,
  mpich,
  mpichObjects,
  openMpi,
  openMpiNames,
  type Predefined,
  standard,
  STANDARD_VERSION,
  standardObjects,
  type Word,
} from "./abi.ts";

/** Memory that a call reads or writes. */
export type Memory = ArrayBufferView<ArrayBufferLike>;

/** The calls. Those that end in `Waiting` wait in a thread of their own, the others come back at once. */
export interface Calls {
  init(argc: Word, argv: Word, level: number, provided: Memory): number;
  finalize(): number;
  abort(comm: Word, code: number): number;
  version(text: Memory, length: Memory): number;
  errorText(code: number, text: Memory, length: Memory): number;
  setErrorHandler(comm: Word, handler: Word): number;
  rank(comm: Word, rank: Memory): number;
  size(comm: Word, size: Memory): number;
  isend(b: Memory, n: number, type: Word, to: number, tag: number, comm: Word, r: Memory): number;
  issend(b: Memory, n: number, type: Word, to: number, tag: number, comm: Word, r: Memory): number;
  irecv(b: Memory, n: number, type: Word, from: number, tag: number, comm: Word, r: Memory): number;
  test(request: Memory, flag: Memory, status: Memory): number;
  cancel(request: Memory): number;
  wait(request: Memory, status: Word): number;
  count(status: Memory, type: Word, count: Memory): number;
  groupOf(comm: Word, group: Memory): number;
  groupSome(group: Word, n: number, ranks: Memory, some: Memory): number;
  commWaiting(comm: Word, group: Word, tag: number, made: Memory): Promise<number>;
  allReduceWaiting(
    from: Word,
    into: Memory,
    n: number,
    type: Word,
    op: Word,
    comm: Word,
  ): Promise<number>;
  reduceScatterWaiting(
    from: Memory,
    into: Memory,
    counts: Memory,
    type: Word,
    op: Word,
    comm: Word,
  ): Promise<number>;
  allGatherWaiting(
    from: Word,
    n: number,
    fromType: Word,
    into: Memory,
    counts: Memory,
    places: Memory,
    type: Word,
    comm: Word,
  ): Promise<number>;
  barrierWaiting(comm: Word): Promise<number>;
  broadcastWaiting(b: Memory, n: number, type: Word, root: number, comm: Word): Promise<number>;
}

/** A library that was found. */
export interface Library {
  readonly abi: Abi;
  /** What it calls itself, and where it was found. */
  readonly description: string;
  readonly calls: Calls;
  readonly objects: Predefined;
  /** @throws DistError "engine" if the code of a call is no success */
  check(doing: string, code: number): void;
  /** Room for a handle that a call gives; it does not move while one does in a thread of its own. */
  room(): Int32Array<ArrayBuffer> | BigUint64Array<ArrayBuffer>;
}

/** Where each library may be. The two names with 12 are MPICH's in Debian and elsewhere. */
const places = {
  mpich: ["libmpich.so.12", "libmpi.so.12"],
  openMpi: ["libmpi.so.40", "libmpi.so"],
  standard: ["libmpi_abi.so.0"],
};

/**
 * The library that belongs to what started this process, as far as its variables say, or one that any MPI may have; else the first one
 * that there is.
 */
function candidates(environment: (name: string) => string | undefined): readonly string[] {
  const isOpenMpi = environment("OMPI_COMM_WORLD_SIZE") ?? environment("PMIX_RANK");
  return isOpenMpi === undefined
    ? [...places.mpich, ...places.standard, ...places.openMpi]
    : [...places.openMpi, ...places.standard, ...places.mpich];
}

/**
 * Opens MPI's library: `path`, or the one that belongs to what started this process.
 *
 * @throws DistError "engine" if there is none, or none with a version of the standard ABI that is known
 */
export function openLibrary(
  path: string | undefined,
  environment: (name: string) => string | undefined,
): Library {
  const paths = path === undefined ? candidates(environment) : [path];
  let unfit: DistError | undefined;
  for (const each of paths) {
    try {
      return describe(each);
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) {
        const text = `Cannot use MPI: FFI is not allowed (--allow-ffi)`;
        throw new DistError(text, "engine", { cause: error });
      }
      if (error instanceof DistError) unfit ??= error;
      // Otherwise it is not on this machine, or no MPI.
    }
  }
  throw unfit ?? new DistError(
    `Cannot use MPI: ${
      paths.join(", ")
    } cannot be opened as its library; install MPICH or Open MPI`,
    "engine",
  );
}

function describe(path: string): Library {
  const probe = Deno.dlopen(path, {
    [openMpiNames.world]: { type: "pointer", optional: true },
    MPI_Abi_get_version: { parameters: ["buffer", "buffer"], result: "i32", optional: true },
    MPI_Get_library_version: { parameters: ["buffer", "buffer"], result: "i32" },
  });
  const native = probe.symbols[openMpiNames.world] === null ? mpich : openMpi;
  const abi = isStandard(path, probe.symbols.MPI_Abi_get_version) ? standard : native;
  const calls = open(path, abi);
  const text = textOf((into, length) => calls.version(into, length));
  return {
    abi,
    description: `${text.split(/[\n,]/, 1)[0]!.replace(/\s+/g, " ").trim()} (${path})`,
    calls,
    objects: objectsOf(abi, path),
    check(doing, code) {
      if (code === 0) return;
      const why = textOf((into, length) => calls.errorText(code, into, length));
      throw new DistError(`Cannot ${doing} by ${abi.name}: ${why}`, "engine");
    },
    room: () =>
      abi.handle === "i32"
        ? new Int32Array(new ArrayBuffer(4))
        : new BigUint64Array(new ArrayBuffer(8)),
  };
}

/** Has it the standard ABI? A library of MPI-5 with one of its own says -1. */
function isStandard(
  path: string,
  version: ((major: Int32Array<ArrayBuffer>, minor: Int32Array<ArrayBuffer>) => number) | null,
): boolean {
  const major = Int32Array.of(-1), minor = Int32Array.of(-1);
  if (version === null || version(major, minor) !== 0 || major[0]! < 0) return false;
  if (major[0] === STANDARD_VERSION) return true;
  const text = `${major[0]}.${minor[0]}, it must be ${STANDARD_VERSION}`;
  throw new DistError(`Cannot use ${path}: its version of MPI's standard ABI is ${text}`, "engine");
}

function textOf(write: (into: Uint8Array, length: Int32Array) => number): string {
  const text = new Uint8Array(8192), length = new Int32Array(1);
  write(text, length);
  return new TextDecoder().decode(text.subarray(0, length[0])).replace(/\0+$/, "");
}

function objectsOf(abi: Abi, path: string): Predefined {
  if (abi === openMpi) return variables(path);
  return abi === standard ? standardObjects : mpichObjects;
}

function variables(path: string): Predefined {
  const entries = Object.values(openMpiNames).map((name) => [name, { type: "pointer" }] as const);
  const { symbols } = Deno.dlopen(path, Object.fromEntries(entries));
  const at = (name: keyof typeof openMpiNames): bigint =>
    Deno.UnsafePointer.value(symbols[openMpiNames[name]]!);
  const [world, errorsReturn, sum, byte] = [at("world"), at("errorsReturn"), at("sum"), at("byte")];
  const [u8, u16, i32, u32, f32, f64] = [
    at("u8"),
    at("u16"),
    at("i32"),
    at("u32"),
    at("f32"),
    at("f64"),
  ];
  return { world, errorsReturn, sum, byte, types: { u8, u16, i32, u32, f32, f64 } };
}

function open(path: string, { handle: h }: Abi): Calls {
  type Kind = "i32" | "usize" | "buffer";
  const b = "buffer", i = "i32", w = "usize";
  const call = (name: string, ...parameters: readonly Kind[]) => ({
    name: `MPI_${name}`,
    parameters,
    result: i,
  } as const);
  const waiting = (name: string, ...parameters: readonly Kind[]) => ({
    ...call(name, ...parameters),
    nonblocking: true,
  } as const);
  const { symbols } = Deno.dlopen(path, {
    init: call("Init_thread", w, w, i, b),
    finalize: call("Finalize"),
    abort: call("Abort", h, i),
    version: call("Get_library_version", b, b),
    errorText: call("Error_string", i, b, b),
    setErrorHandler: call("Comm_set_errhandler", h, h),
    rank: call("Comm_rank", h, b),
    size: call("Comm_size", h, b),
    isend: call("Isend", b, i, h, i, i, h, b),
    issend: call("Issend", b, i, h, i, i, h, b),
    irecv: call("Irecv", b, i, h, i, i, h, b),
    test: call("Test", b, b, b),
    cancel: call("Cancel", b),
    wait: call("Wait", b, w),
    count: call("Get_count", b, h, b),
    groupOf: call("Comm_group", h, b),
    groupSome: call("Group_incl", h, i, b, b),
    commWaiting: waiting("Comm_create_group", h, h, i, b),
    allReduceWaiting: waiting("Allreduce", w, b, i, h, h, h),
    reduceScatterWaiting: waiting("Reduce_scatter", b, b, b, h, h, h),
    allGatherWaiting: waiting("Allgatherv", w, i, h, b, b, b, h, h),
    barrierWaiting: waiting("Barrier", h),
    broadcastWaiting: waiting("Bcast", b, i, h, i, h),
  });
  return symbols as unknown as Calls;
}
