/**
 * The few calls of Linux's C library that memory between processes takes.
 *
 * Source: memfd_create(2), mmap(2), futex(2).
 *
 * @module
 */
import { DistError } from "../../error.ts";

/** Memory that this process sees, and perhaps others. */
export interface Mapping {
  readonly bytes: ArrayBuffer;
  readonly at: Deno.PointerObject;
}

/** The calls, of which those that fail throw a DistError "engine". */
export interface Libc {
  /** Memory without a name, as a file's number: it lives as long as one process has it open or mapped, however they end. */
  create(bytes: number): number;
  /** Opens what another process of this user has open, which must have so many bytes. */
  openOf(process: number, file: number, bytes: number): number;
  close(file: number): void;
  map(file: number, bytes: number): Mapping;
  /** Nobody may look at the mapping any more. */
  unmap(mapping: Mapping): void;
  /** Resolves when the word is rung, does not hold `value`, or after so many milliseconds; nothing else waits meanwhile. */
  wait(word: Deno.PointerObject, value: number, ms: number): Promise<unknown>;
  /** Rings: all that wait at the word go on. */
  wake(word: Deno.PointerObject): void;
  /** What differs between processes that cannot share memory: the machine's start, the space of process numbers, the user. */
  host(): string;
}

const CLOEXEC = 1, READ = 0, READ_WRITE = 2, OPEN_CLOEXEC = 0o2000000;
const PROT_READ_WRITE = 3, MAP_SHARED = 1, SEEK_END = 2;
const FUTEX_WAIT = 0, FUTEX_WAKE = 1, ALL = 2 ** 31 - 1;
/** The number of futex(2), which the library has no function for. */
const FUTEX = Deno.build.arch === "aarch64" ? 98n : 202n;

const encoder = new TextEncoder();
const text = (name: string): Uint8Array<ArrayBuffer> => encoder.encode(name + "\0");

/**
 * Opens the library.
 *
 * @throws DistError "engine" if this is no Linux, or FFI is not allowed
 */
export function openLibc(): Libc {
  if (Deno.build.os !== "linux") {
    throw new DistError(`Cannot share memory on ${Deno.build.os}: only on Linux`, "engine");
  }
  const calls = load();
  const failed = (doing: string): DistError => {
    const code = new Deno.UnsafePointerView(calls.errno()!).getInt32();
    const why = Deno.UnsafePointerView.getCString(calls.strerror(code)!);
    return new DistError(`Cannot share memory: ${doing} failed, ${why}`, "engine");
  };
  /** @throws DistError if the call says no */
  const check = (doing: string, result: number): number => {
    if (result < 0) throw failed(doing);
    return result;
  };
  const contents = (path: string): string => {
    const file = check(`opening ${path}`, calls.open(text(path), READ | OPEN_CLOEXEC, 0));
    const room = new Uint8Array(256), count = Number(calls.read(file, room, 256n));
    calls.close(file);
    return new TextDecoder().decode(room.subarray(0, check(`reading ${path}`, count))).trim();
  };
  const target = (path: string): string => {
    const room = new Uint8Array(256), count = Number(calls.readlink(text(path), room, 256n));
    return new TextDecoder().decode(room.subarray(0, check(`reading ${path}`, count)));
  };
  return {
    create(bytes) {
      const file = check("memfd_create", calls.memfdCreate(text("motian"), CLOEXEC));
      check(`making room for ${bytes} bytes`, calls.ftruncate(file, BigInt(bytes)));
      return file;
    },
    openOf(process, file, bytes) {
      const path = `/proc/${process}/fd/${file}`;
      const found = check(`opening ${path}`, calls.open(text(path), READ_WRITE | OPEN_CLOEXEC, 0));
      // To look behind the end of a file would be this process's.
      if (Number(calls.lseek(found, 0n, SEEK_END)) === bytes) return found;
      calls.close(found);
      throw new DistError(`Cannot share memory: ${path} has not ${bytes} bytes`, "engine");
    },
    close: (file) => void calls.close(file),
    map(file, bytes) {
      const at = calls.mmap(0n, BigInt(bytes), PROT_READ_WRITE, MAP_SHARED, file, 0n);
      // MAP_FAILED is -1.
      if (at === null || Deno.UnsafePointer.value(at) > 2n ** 63n) throw failed("mmap");
      return { at, bytes: Deno.UnsafePointerView.getArrayBuffer(at, bytes) };
    },
    unmap: ({ at, bytes }) => void calls.munmap(at, BigInt(bytes.byteLength)),
    wait(word, value, ms) {
      const time = new BigInt64Array(new ArrayBuffer(16));
      time[0] = BigInt(Math.floor(ms / 1000));
      time[1] = BigInt(Math.round(ms % 1000 * 1e6));
      // Kept from the garbage collector until then.
      return calls.wait(FUTEX, word, FUTEX_WAIT, value, time, 0n, 0).then(() => time);
    },
    wake: (word) => void calls.wake(FUTEX, word, FUTEX_WAKE, ALL, 0n, 0n, 0),
    host: () =>
      [contents("/proc/sys/kernel/random/boot_id"), target("/proc/self/ns/pid"), calls.user()].join(
        " ",
      ),
  };
}

function load() {
  try {
    return Deno.dlopen("libc.so.6", {
      memfdCreate: { name: "memfd_create", parameters: ["buffer", "u32"], result: "i32" },
      ftruncate: { parameters: ["i32", "i64"], result: "i32" },
      open: { parameters: ["buffer", "i32", "i32"], result: "i32" },
      read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
      readlink: { parameters: ["buffer", "buffer", "usize"], result: "isize" },
      close: { parameters: ["i32"], result: "i32" },
      lseek: { parameters: ["i32", "i64", "i32"], result: "i64" },
      mmap: { parameters: ["usize", "usize", "i32", "i32", "i32", "i64"], result: "pointer" },
      munmap: { parameters: ["pointer", "usize"], result: "i32" },
      user: { name: "geteuid", parameters: [], result: "u32" },
      errno: { name: "__errno_location", parameters: [], result: "pointer" },
      strerror: { parameters: ["i32"], result: "pointer" },
      wait: {
        name: "syscall",
        parameters: ["isize", "pointer", "i32", "i32", "buffer", "usize", "i32"],
        result: "isize",
        nonblocking: true,
      },
      wake: {
        name: "syscall",
        parameters: ["isize", "pointer", "i32", "i32", "usize", "usize", "i32"],
        result: "isize",
      },
    }).symbols;
  } catch (cause) {
    const why = cause instanceof Deno.errors.NotCapable
      ? "FFI is not allowed (--allow-ffi)"
      : "libc.so.6 cannot be opened";
    throw new DistError(
      `Cannot share memory: ${why}; without it, sockets alone: MOTIAN_MEMORY=apart`,
      "engine",
      {
        cause,
      },
    );
  }
}
