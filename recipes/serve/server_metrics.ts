/**
 * What a server counts.
 *
 * @module
 */
import type { Batch } from "../predict/batch.ts";
import { counter, gauge, histogram, type Metric } from "../observe/metrics.ts";

/** The metrics of a server. */
export interface ServerMetrics {
  /** A request, and the status that it was answered with; 499 where the client was gone. */
  readonly answered: (route: string, status: number, seconds: number) => void;
  /** A batch that was computed. */
  readonly computed: (batch: Batch, seconds: number) => void;
  readonly all: readonly Metric[];
}

/** Units: seconds. */
const TIMES = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const ROWS = [1, 2, 4, 8, 16, 32, 64, 128];

/** Metrics that start at 0; `depth` tells how many texts wait. */
export function serverMetrics(depth: () => number): ServerMetrics {
  const requests = counter("motian_requests_total", "Requests by route and status.");
  const times = histogram("motian_request_seconds", "From headers to answer, by route.", TIMES);
  const rows = histogram("motian_batch_rows", "Texts of a batch, by question.", ROWS);
  const seconds = histogram("motian_batch_seconds", "Time of a batch, by question.", TIMES);
  const tokens = counter("motian_tokens_total", "Tokens computed: of texts, and of padding.");
  return {
    answered(route, status, time) {
      requests.add({ route, status });
      times.observe({ route }, time);
    },
    computed({ ask, rows: own, B, T }, time) {
      const count = own.reduce((sum, { ids }) => sum + ids.length, 0);
      rows.observe({ ask }, own.length);
      seconds.observe({ ask }, time);
      tokens.add({ of: "text" }, count);
      tokens.add({ of: "padding" }, B * T - count);
    },
    all: [
      requests,
      times,
      gauge("motian_queue_rows", "Texts that wait for the model.", depth),
      rows,
      seconds,
      tokens,
    ],
  };
}
