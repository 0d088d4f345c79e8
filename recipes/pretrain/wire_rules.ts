/** What does not go together with what gradients travel as. */
import { hasMemory, type PretrainConfig } from "./config.ts";

/** Whether a configuration keeps each rule, and what is wrong if it does not. */
export function wireRules(
  { wire, shards, precision, optimizer }: PretrainConfig,
): readonly (readonly [right: boolean, wrong: string])[] {
  return [
    [
      shards === 0 || wire === "f32",
      `wire is "${wire}", with shards it must be "f32", whose bits are those of any number of processes`,
    ],
    [
      precision !== "f16" || !hasMemory(wire),
      `wire is "${wire}", with precision "f16" it must be "f32" or "bf16": what was not said would be of another loss scale`,
    ],
    [
      wire !== "1-bit-lamb" || optimizer.name === "lamb" && !optimizer.sharded,
      `wire is "1-bit-lamb", optimizer.name must be "lamb" and optimizer.sharded false`,
    ],
  ];
}
