/**
 * What a configuration says of processes that take their steps apart, and what it must.
 *
 * @module
 */
import {
  between,
  type Check,
  isRecord,
  oneOf,
  overridden,
  positive,
  record,
  whole,
} from "../cli/schema.ts";
import { type OuterWire, outerWires } from "../../dist/mod.ts";

/** Steps that processes take apart, and how they exchange how far they have come. */
export interface DilocoConfig {
  /** Processes; each has its part of every batch. */
  readonly workers: number;
  /** Steps in which every parameter is exchanged once. */
  readonly every: number;
  /** Parts of the parameters that are exchanged apart, evenly over those steps. */
  readonly fragments: number;
  /** Steps that an exchange goes on beside; 0 waits for it. */
  readonly delay: number;
  /** The share of a process's own parameters that is kept when an exchange is taken in. */
  readonly mix: number;
  /** Of the outer optimiser. */
  readonly outerRate: number;
  /** Nesterov's. */
  readonly outerMomentum: number;
  /** What is sent: parameters as f32, or their differences from the outer ones in fewer bytes. */
  readonly wire: OuterWire;
}

/** What holds where a configuration does not say it: the README has the perplexities of other momenta. */
export const DILOCO: DilocoConfig = {
  workers: 2,
  every: 16,
  fragments: 4,
  delay: 0,
  mix: 0,
  outerRate: 1,
  outerMomentum: 0.3,
  wire: "int4",
};

/** A configuration with what it does not say of it, where it says something. */
export function withDiloco(value: unknown): unknown {
  if (!isRecord(value) || !isRecord(value.diloco)) return value;
  return { ...value, diloco: overridden(DILOCO, value.diloco) };
}

/** Its fields. */
export const dilocoFields: Check<DilocoConfig> = record<DilocoConfig>({
  workers: whole(1, 1024),
  every: whole(1),
  fragments: whole(1),
  delay: whole(0),
  mix: between(0, 1),
  outerRate: positive,
  outerMomentum: between(0, 1),
  wire: oneOf(outerWires),
});

/** What of a configuration must go together with it. */
interface Surroundings {
  readonly diloco: DilocoConfig | null;
  readonly shards: number;
  readonly wire: string;
  readonly precision: string;
  readonly optimizer: { readonly sharded: boolean };
  readonly click: { readonly batch: number } | null;
}

/** Is it so, and what is wrong if it is not. */
type Rule = readonly [right: boolean, wrong: string];

/** The rules of a configuration with these stages. */
export function dilocoRules(
  { diloco, shards, wire, precision, optimizer, click }: Surroundings,
  stages: readonly { readonly at: string; readonly batch: number }[],
): readonly Rule[] {
  if (diloco === null) return [];
  const { workers, every, fragments, delay } = diloco;
  const batches = [...stages, ...click ? [{ at: "click", ...click }] : []];
  const alone = "with diloco no gradients are exchanged";
  return [
    ...batches.map(({ at, batch }): Rule => [
      batch % workers === 0,
      `diloco.workers is ${workers}, it must divide ${at}.batch ${batch}`,
    ]),
    [
      fragments <= every,
      `diloco.fragments is ${fragments}, it must not be above diloco.every ${every}`,
    ],
    [delay < every, `diloco.delay is ${delay}, it must be under diloco.every ${every}`],
    [shards === 0, `shards is ${shards}, ${alone}: it must be 0`],
    [wire === "f32", `wire is "${wire}", ${alone}: set diloco.wire`],
    [!optimizer.sharded, `optimizer.sharded is true, with diloco every process moves all`],
    [
      precision !== "f16",
      `precision is "${precision}", with diloco no step can be skipped by all: it must be "f32" or "bf16"`,
    ],
  ];
}
