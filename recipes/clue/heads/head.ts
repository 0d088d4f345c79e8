/**
 * What stands on the encoder and answers.
 *
 * @module
 */
import type { AnyTensor, Tensor } from "../../../core/mod.ts";
import type { Dropout, LossSum, TensorsOf } from "../../../nn/mod.ts";

/** What a head reads. Shapes: U units of N rows are B rows of T tokens. */
export interface HeadInputs {
  readonly hidden: Tensor<["B", "T", "C"]>;
  /** 1 for tokens, 0 for padding. */
  readonly keep: Tensor<["B", "T"]>;
  readonly dropout?: Dropout<"B">;
}

/** What is to be answered. */
export interface Targets {
  /** [U, K]: K as `Head.targets` says. */
  readonly targets: Tensor<["U", "K"], "i32">;
  /** 0 for units that fill a batch up. */
  readonly weights: Tensor<["U"]>;
  /** What a teacher answers, where units have it. Shapes: as the outputs. */
  readonly soft?: Tensor<["U", "L"]>;
}

/** A head of parameters P. */
export interface HeadParts<P> {
  /** Rows of a unit. */
  readonly rows: number;
  /** Numbers of a target: so many, or one for every token. */
  readonly targets: number | "tokens";
  /** How many classes its one target is of, where it is a class. */
  readonly classes?: number;
  /** Its parameters before they exist. */
  readonly spec: (width: number) => P;
  /** What answers are read from. Shapes: [U, …], numbers of a unit in one stretch. */
  readonly outputs: (params: TensorsOf<P>, inputs: HeadInputs) => AnyTensor;
  /** What is read back of the outputs, where answers need less or something else. Shapes: as `outputs`. */
  readonly answers?: (
    params: TensorsOf<P>,
    outputs: AnyTensor,
    inputs: HeadInputs,
  ) => AnyTensor;
  /** The head of one row of a unit, with the same parameters, where units have several: its outputs are [B, 1]. */
  readonly alone?: HeadParts<P>;
  /** What turns outputs into answers beside them, where that is learnt too, under names of its own. */
  readonly learnt?: (params: TensorsOf<P>) => Readonly<Record<string, AnyTensor>>;
  /**
   * How probable the outputs say that each of their entries is: of classes, choices or places, or of the tags of a token whatever the others
   * are. 0 where there is none. Shapes: as `outputs`.
   */
  readonly probabilities: (
    params: TensorsOf<P>,
    outputs: AnyTensor,
    inputs: Pick<HeadInputs, "keep">,
  ) => AnyTensor;
  /** What is read back where the probabilities of a unit are these, such as means over models. */
  readonly decide: (probabilities: Float32Array) => Float32Array;
  /** How wrong the outputs are. */
  readonly loss: (
    params: TensorsOf<P>,
    outputs: AnyTensor,
    inputs: HeadInputs,
    targets: Targets,
  ) => LossSum;
}

/** Parameters of a head that nobody but the head looks into. */
export interface HeadSpec {
  readonly [name: string]: never;
}

/** A head whose parameters are its own affair. */
export type Head = HeadParts<HeadSpec>;

/** Closes a head: only what its `spec` describes is ever given to it. */
export function head<P>(parts: HeadParts<P>): Head {
  return parts as unknown as Head;
}

/** log p; of what a device rounds to 0, that of the least normal number. */
export const logsOf = (probabilities: Float32Array): Float32Array =>
  probabilities.map((p) => Math.log(Math.max(p, 2 ** -126)));

/** The place of a head's own dropout: no encoder has so many. */
export const HEAD_SITE = 1 << 20;
