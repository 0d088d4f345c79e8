/**
 * What differs between MPI's libraries where C programs see nothing of it: how handles are passed, and constants.
 *
 * Source: mpi.h of MPICH 4.0.2 (whose values MPICH and its kin keep since 3.1) and of Open MPI 4.1.4; for the standard ABI MPI 5.0,
 * chapter 20, as in the MPI Forum's own mpi.h (github.com/mpi-forum/mpi-abi-stubs, e5f65c7 of July 2026).
 *
 * @module
 */
import type { WireType } from "../message/header.ts";

/** A handle or an address. */
export type Word = number | bigint;

/** One binary interface. */
export interface Abi {
  readonly name: "MPICH" | "Open MPI" | "MPI-5";
  /** How a handle is passed; in memory it takes 4 or 8 bytes. */
  readonly handle: "i32" | "usize";
  readonly inPlace: Word;
  readonly statusIgnore: Word;
  readonly anySource: number;
  /** The level at which any thread may call. */
  readonly multiple: number;
}

/** The objects that exist from the start. */
export interface Predefined {
  readonly world: Word;
  readonly errorsReturn: Word;
  readonly sum: Word;
  readonly byte: Word;
  readonly types: Readonly<Record<WireType, Word>>;
}

/** Handles are numbers. */
export const mpich: Abi = {
  name: "MPICH",
  handle: "i32",
  inPlace: 2n ** 64n - 1n,
  statusIgnore: 1,
  anySource: -2,
  multiple: 3,
};

/** Handles are the addresses of variables in the library. */
export const openMpi: Abi = {
  name: "Open MPI",
  handle: "usize",
  inPlace: 1,
  statusIgnore: 0,
  anySource: -1,
  multiple: 3,
};

/** Handles are pointers, and the predefined ones small numbers; the same for every library that has it. */
export const standard: Abi = {
  name: "MPI-5",
  handle: "usize",
  inPlace: 1,
  statusIgnore: 0,
  anySource: -1,
  multiple: 4096,
};

/** The version of the standard ABI that is known here; others with the same first number differ by additions. */
export const STANDARD_VERSION = 1;

/** The standard's objects. */
export const standardObjects: Predefined = {
  world: 0x101,
  errorsReturn: 0x143,
  sum: 0x21,
  byte: 0x247,
  types: { u8: 0x245, u16: 0x20c, i32: 0x209, u32: 0x20d, f32: 0x210, f64: 0x214 },
};

/** MPICH's objects. */
export const mpichObjects: Predefined = {
  world: 0x44000000,
  errorsReturn: 0x54000001,
  sum: 0x58000003,
  byte: 0x4c00010d,
  types: {
    u8: 0x4c000102,
    u16: 0x4c000204,
    i32: 0x4c000405,
    u32: 0x4c000406,
    f32: 0x4c00040a,
    f64: 0x4c00080b,
  },
};

/** The variables that are Open MPI's objects. */
export const openMpiNames = {
  world: "ompi_mpi_comm_world",
  errorsReturn: "ompi_mpi_errors_return",
  sum: "ompi_mpi_op_sum",
  byte: "ompi_mpi_byte",
  u8: "ompi_mpi_unsigned_char",
  u16: "ompi_mpi_unsigned_short",
  i32: "ompi_mpi_int",
  u32: "ompi_mpi_unsigned",
  f32: "ompi_mpi_float",
  f64: "ompi_mpi_double",
} as const;
