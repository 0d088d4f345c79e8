/**
 * Rows of many requests in batches: while the model computes one batch, rows gather for the next.
 *
 * The row whose turn it is decides what comes next: what is asked and which length; others that are asked the same at the same padded
 * length go with it, in turn. Turns are those of arrival, but the rows of one request count as if they had come one after another, as
 * fast as the model takes them: a request of many texts lets others in between. So nothing waits for ever, and no batch is padded for
 * one long text. A batch is made only when the model is free: rows that are still waiting can leave, and those of a client that is gone
 * do.
 *
 * @module
 */
import { type Batch, type BatchLimits, nextBatch, paddedLength, rowsAt } from "../predict/batch.ts";
import type { Ask } from "../predict/model_source.ts";
import type { Row } from "../predict/row.ts";
import type { RunBatch } from "../predict/run_batch.ts";
import { HttpError } from "./http_error.ts";

/** How rows wait. */
export interface QueueOptions {
  readonly run: RunBatch;
  /** Tokens of a row at most. */
  readonly limit: number;
  readonly batch: BatchLimits;
  /** Rows that wait at most. */
  readonly queue: number;
  /** How long the first of a batch waits for others, where the model is free. Units: milliseconds. */
  readonly waitMs: number;
  /** Told of every batch when it is done. */
  readonly observe: (batch: Batch, seconds: number) => void;
  /** Told when the model fails: what waits is failed too, and nothing is computed any more. */
  readonly failed: (error: unknown) => void;
}

/** A queue before a model. */
export interface BatchQueue {
  /**
   * The outputs of rows. When `signal` aborts, those that still wait leave.
   *
   * @throws HttpError 503 where too many wait already.
   */
  readonly submit: (
    ask: Ask,
    rows: readonly Row[],
    signal: AbortSignal,
  ) => Promise<readonly Float32Array[]>;
  /** Refuses what would not find a place; `rows` more must fit. */
  readonly refuseFull: (rows: number) => void;
  /** Rows that wait. */
  readonly depth: () => number;
  /** From now on nothing waits for others. */
  readonly hurry: () => void;
}

interface Waiting {
  readonly ask: Ask;
  readonly row: Row;
  readonly T: number;
  readonly since: number;
  /** The lowest is the next. */
  readonly turn: number;
  readonly done: (output: Float32Array) => void;
  readonly fail: (error: unknown) => void;
}

/** The share of the newest batch in what rows are thought to take. */
const NEWEST = 0.2;

/** Makes a queue, which is empty. */
export function batchQueue(options: QueueOptions): BatchQueue {
  const { run, limit, batch: limits, queue, observe, failed } = options;
  let { waitMs } = options;
  let waiting: Waiting[] = [], busy = false, timer: ReturnType<typeof setTimeout> | undefined;
  let secondsPerRow = 0, broken: { readonly error: unknown } | undefined;

  function refuseFull(rows: number): void {
    if (waiting.length + rows <= queue) return;
    const seconds = Math.min(60, Math.max(1, Math.ceil(waiting.length * secondsPerRow)));
    throw new HttpError(
      503,
      `too much is waiting: ${waiting.length} texts of at most ${queue}; try again in ${seconds} s`,
      { "retry-after": String(seconds) },
    );
  }

  /** Those that go with the next. */
  function mates(): readonly Waiting[] {
    const { ask, T } = waiting[0]!, most = rowsAt(T, limits), found: Waiting[] = [];
    for (const one of waiting) {
      if (one.ask === ask && one.T === T && found.push(one) === most) break;
    }
    return found;
  }

  function next(): void {
    clearTimeout(timer);
    timer = undefined;
    if (busy || waiting.length === 0) return;
    const all = mates(), { T, since } = all[0]!;
    const left = since + waitMs - performance.now();
    if (left > 0 && all.length < rowsAt(T, limits)) {
      timer = setTimeout(next, left);
      return;
    }
    const { take, B } = nextBatch(all.length, T, limits);
    void compute(all.slice(0, take), B);
  }

  async function compute(own: readonly Waiting[], B: number): Promise<void> {
    const taken = new Set(own), { ask, T } = own[0]!;
    waiting = waiting.filter((one) => !taken.has(one));
    busy = true;
    const batch = { ask, rows: own.map(({ row }) => row), B, T }, start = performance.now();
    try {
      const outputs = await run(batch), seconds = (performance.now() - start) / 1000;
      secondsPerRow += NEWEST * (seconds / own.length - secondsPerRow);
      observe(batch, seconds);
      own.forEach(({ done }, i) => done(outputs[i]!));
      busy = false;
      next();
    } catch (error) {
      broken = { error };
      const all = [...own, ...waiting];
      waiting = [];
      all.forEach(({ fail }) => fail(error));
      failed(error);
    }
  }

  return {
    refuseFull,
    depth: () => waiting.length,
    hurry() {
      waitMs = 0;
      next();
    },
    async submit(ask, rows, signal) {
      signal.throwIfAborted();
      // Who was let in before the model failed may come with its rows only now.
      if (broken) throw broken.error;
      refuseFull(rows.length);
      const since = performance.now(), own: Waiting[] = [];
      const outputs = rows.map((row, i) => {
        const T = paddedLength(row.ids.length, limit), turn = since + 1000 * secondsPerRow * i;
        return new Promise<Float32Array>((done, fail) =>
          own.push({ ask, row, T, since, turn, done, fail })
        );
      });
      waiting = [...waiting, ...own].sort((a, b) => a.turn - b.turn);
      const leave = (): void => {
        const gone = new Set(own);
        waiting = waiting.filter((one) => !gone.has(one));
        own.forEach(({ fail }) => fail(signal.reason));
      };
      signal.addEventListener("abort", leave);
      next();
      try {
        return await Promise.all(outputs);
      } finally {
        signal.removeEventListener("abort", leave);
      }
    },
  };
}
