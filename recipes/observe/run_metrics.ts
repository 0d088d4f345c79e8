/**
 * What a training run counts: its newest rows, and what its process's groups do.
 *
 * @module
 */
import type { Observer } from "../../dist/mod.ts";
import type { Row } from "../run/rows.ts";
import { counter, gauge, histogram, type Metric } from "./metrics.ts";
import { keyOf } from "./recorder.ts";

/** The metrics of a run. */
export interface RunMetrics {
  /** A row that was logged. */
  readonly row: (row: Row) => void;
  readonly observer: Observer;
  readonly all: () => readonly Metric[];
}

/** Units: seconds. */
const TIMES = [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100];

/** What rows say of a run, by their fields. */
const FIELDS = {
  step: "Steps taken.",
  loss: "Training loss.",
  lr: "Learning rate.",
  grad_norm: "Norm of the gradient.",
  loss_scale: "Loss scale of f16.",
  skipped: "Steps skipped since the row before.",
  tokens_per_s: "Tokens a second.",
  stall_s: "Seconds that the loop waited for input since the row before.",
  exchange_s: "Seconds of exchanges since the row before.",
  mlm_ppl: "Held-out perplexity of the last evaluation.",
  accuracy: "Share of masked tokens that are right.",
} as const;

/** Metrics of a run in which nothing has happened yet. */
export function runMetrics(): RunMetrics {
  const newest = new Map<string, number>(), begun = new Map<string, number>();
  const bytes = counter(
    "motian_link_bytes_total",
    "Bytes of arrays that links took and brought; what an MPI library or shared memory moves is not in them.",
  );
  const seconds = histogram(
    "motian_operation_seconds",
    "Time of operations of all ranks from their turn on, by name.",
    TIMES,
  );
  const failures = counter("motian_group_failures_total", "Groups that failed, by why.");
  let generation = 0, ranks = 0;
  return {
    row(row) {
      for (const name of Object.keys(FIELDS)) {
        const value = row[name];
        if (typeof value === "number") newest.set(name, value);
      }
    },
    observer(event) {
      if (event.kind === "begun") begun.set(keyOf(event.operation), event.at);
      if (event.kind === "ended") {
        const { operation: { operation, line }, sent, received, at } = event,
          key = keyOf(event.operation),
          turn = begun.get(key);
        bytes.add({ way: "sent" }, sent);
        bytes.add({ way: "received" }, received);
        // What failed before its turn took no time of anybody.
        if (line === "" && turn !== undefined) seconds.observe({ operation }, (at - turn) / 1000);
        begun.delete(key);
      }
      if (event.kind !== "joined" && event.kind !== "failed" || event.group.name !== "") return;
      generation = event.group.generation;
      ranks = event.kind === "joined" ? event.group.size : 0;
      if (event.kind === "failed" && event.error.failure !== "closed") {
        failures.add({ failure: event.error.failure });
      }
    },
    all: () => [
      ...[...newest.keys()].map((name) =>
        gauge(`motian_${name}`, FIELDS[name as keyof typeof FIELDS], () => newest.get(name)!)
      ),
      ...ranks + generation === 0 ? [] : [
        gauge("motian_ranks", "Processes of the group that stands.", () => ranks),
        gauge("motian_generation", "Generation of that group.", () => generation),
        ...[bytes, seconds, failures],
      ],
    ],
  };
}
