/**
 * A system BLAS for products of f32, called by FFI from inside the WebAssembly step: its matrices lie in the WebAssembly memory, so
 * nothing is copied. Every thread of the pool calls it for its own part; a pool of the library's own would fight for the same cores.
 *
 * Deno is reached through globalThis, as this module also runs where there is none.
 *
 * @module
 */
import { DeviceError } from "../../device/error.ts";

/** A library that was found, and what it calls itself. */
export interface Blas {
  readonly path: string;
  readonly description: string;
}

/** (a, b, c, m, n, k, lda, ldb, ldc, flags): addresses in the memory; flags 1 and 2: a, b transposed; 4: add to c. */
export type Gemm = (
  a: number | bigint,
  b: number | bigint,
  c: number | bigint,
  ...sizes: number[]
) => void;

/** Where a BLAS that is worth calling may be: OpenBLAS on Linux, Accelerate on macOS. */
const LIBRARIES: readonly string[] = [
  "libopenblas.so.0",
  "libopenblas.so",
  "/System/Library/Frameworks/Accelerate.framework/Accelerate",
];

type Foreign = (...args: unknown[]) => unknown;
/** The part of Deno that is used here. */
export interface Ffi {
  dlopen(
    path: string,
    symbols: object,
  ): { readonly symbols: Readonly<Record<string, Foreign | null>> };
  readonly UnsafePointer: { of(view: Uint8Array): unknown; value(pointer: unknown): bigint };
  readonly UnsafePointerView: { getCString(pointer: unknown): string };
  readonly permissions: { querySync(what: object): { readonly state: string } };
}

function ffi(): Ffi | undefined {
  return (globalThis as { readonly Deno?: Ffi }).Deno;
}

function describe(deno: Ffi, path: string): Blas {
  const text = { parameters: [], result: "pointer", optional: true };
  const { symbols } = deno.dlopen(path, {
    cblas_sgemm: { parameters: [], result: "void" },
    openblas_get_config: text,
    openblas_get_corename: text,
  });
  const say = (f: Foreign | null | undefined): string =>
    f ? deno.UnsafePointerView.getCString(f()) : "";
  const name = say(symbols.openblas_get_config).split(" ").slice(0, 2).join(" ");
  const core = say(symbols.openblas_get_corename);
  return { path, description: name ? `${name} (${core})` : path.split("/").at(-1)! };
}

/**
 * The system's BLAS, or undefined if there is none or FFI is not allowed; nobody is asked. A path instead of "auto" must open.
 *
 * @throws {DeviceError} If the library at a given path cannot be opened, or is no BLAS
 */
export function findBlas(which: string): Blas | undefined {
  const deno = ffi();
  if (which === "off") return undefined;
  if (which !== "auto") {
    try {
      if (deno) return describe(deno, which);
    } catch (cause) {
      throw new DeviceError(
        `Cannot use ${which} as a BLAS: it must be a library with cblas_sgemm, and FFI must be allowed (--allow-ffi)`,
        "absent",
        { cause },
      );
    }
    throw new DeviceError(`Cannot use ${which} as a BLAS: there is no FFI here`, "absent");
  }
  if (deno?.permissions.querySync({ name: "ffi" }).state !== "granted") return undefined;
  for (const path of LIBRARIES) {
    try {
      return describe(deno, path);
    } catch {
      // Not on this machine.
    }
  }
  return undefined;
}

/**
 * The function that programs import, for one thread. It is sent to threads as source text: it must not refer to anything outside
 * itself.
 */
export function openGemm(memory: WebAssembly.Memory, path: string | undefined): Gemm {
  if (path === undefined) return () => {};
  const deno = (globalThis as unknown as { readonly Deno: Ffi }).Deno;
  const integers = (n: number): string[] => Array<string>(n).fill("i32");
  const parameters = [...integers(6), "f32", "usize", "i32", "usize", "i32", "f32", "usize", "i32"];
  const { symbols } = deno.dlopen(path, {
    cblas_sgemm: { parameters, result: "void" },
    openblas_set_num_threads: { parameters: ["i32"], result: "void", optional: true },
  });
  symbols.openblas_set_num_threads?.(1);
  const sgemm = symbols.cblas_sgemm!;
  const view = new Uint8Array(memory.buffer);
  const base = Number(deno.UnsafePointer.value(deno.UnsafePointer.of(view)));
  // Plain numbers are FFI's fast path; addresses stay below 2^53.
  const at = (address: number | bigint): number =>
    base + (typeof address === "bigint" ? Number(address) : address >>> 0);
  return (a, b, c, m, n, k, lda, ldb, ldc, flags) => {
    const turnedA = flags! & 1 ? 112 : 111, turnedB = flags! & 2 ? 112 : 111;
    const keep = flags! & 4 ? 1 : 0;
    sgemm(101, turnedA, turnedB, m, n, k, 1, at(a), lda, at(b), ldb, keep, at(c), ldc);
  };
}
