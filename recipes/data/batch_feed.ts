/**
 * Training batches made ahead of the device, in workers.
 *
 * The parts of the steps are handed to the workers in turn and taken back in the same order. A batch is a function of the seed and
 * the step, so neither the number of workers nor their pace changes any of them. Only so many are made ahead: a slow device does
 * not fill the memory. A ring of shared memory that workers write into was turned down: a batch's buffers move from worker
 * to loop without a copy as it is.
 *
 * @module
 */
import { type Batch, trainBatches } from "./batches.ts";
import type { BatchPart, BatchReply, BatchRequest, BatchSource } from "./batch_worker.ts";

/** How batches are made ahead. */
export interface FeedOptions {
  /** 0: none, each batch is made when it is asked for. One makes some ten million tokens a second. */
  readonly workers: number;
  /** Parts that are made or in the making before they are asked for. */
  readonly ahead: number;
}

/** One worker, 8 parts ahead. */
export const FEED_OPTIONS: FeedOptions = { workers: 1, ahead: 8 };

/** A worker, and who waits for its replies, in order. */
interface Maker {
  readonly worker: Worker;
  readonly waiting: PromiseWithResolvers<Batch>[];
  failure?: RangeError;
}

/** Rows [from, to) of a batch. */
interface Rows {
  readonly from: number;
  readonly to: number;
}

/** The parts of the steps [begin, end), each of `rows` rows, as the loop asks for them; only of some spans of the B. */
export function* partsOf(
  begin: number,
  end: number,
  B: number,
  rows: number,
  spans: readonly Rows[] = [{ from: 0, to: B }],
): Generator<BatchPart, void, unknown> {
  for (let step = begin; step < end; step++) {
    for (const { from: first, to: last } of spans) {
      for (let from = first; from < last; from += rows) {
        yield { step, from, to: Math.min(last, from + rows) };
      }
    }
  }
}

function startMaker(source: BatchSource, number: number): Maker {
  const url = new URL("./batch_worker.ts", import.meta.url);
  const worker = new Worker(url, { type: "module", name: `batches ${number}` });
  const maker: Maker = { worker, waiting: [] };
  worker.onmessage = ({ data }: MessageEvent<BatchReply>): void => {
    const first = maker.waiting.shift()!;
    if ("batch" in data) first.resolve(data.batch);
    else first.reject(new RangeError(`Cannot make a batch: ${data.error}`));
  };
  worker.onerror = (event): void => {
    event.preventDefault();
    stopMaker(maker, event.message);
  };
  const request: BatchRequest = { source };
  worker.postMessage(request);
  return maker;
}

/** Ends a worker; whoever waits for it, now or later, is told why. */
function stopMaker(maker: Maker, why: string): void {
  maker.worker.terminate();
  maker.failure ??= new RangeError(`Cannot make a batch: ${why}`);
  for (const { reject } of maker.waiting.splice(0)) reject(maker.failure);
}

/** Batches in order. It owns workers: dispose of it (`using`) or the program does not end. */
// owns: the workers
export class BatchFeed implements Disposable {
  readonly #parts: Iterator<BatchPart>;
  readonly #makers: readonly Maker[];
  readonly #make: ReturnType<typeof trainBatches>;
  readonly #ahead: number;
  readonly #made: Promise<Batch>[] = [];
  #asked = 0;
  #waitedMs = 0;

  /** A feed of these parts; its workers start at once. */
  constructor(
    source: BatchSource,
    parts: Iterable<BatchPart>,
    { workers, ahead }: FeedOptions = FEED_OPTIONS,
  ) {
    this.#parts = parts[Symbol.iterator]();
    this.#make = trainBatches(source.set, source.vocabulary, source.settings);
    this.#makers = Array.from({ length: workers }, (_, i) => startMaker(source, i));
    this.#ahead = workers === 0 ? 0 : ahead;
    this.#fill();
  }

  /** Seconds that callers of `next` have waited so far. */
  get waited(): number {
    return this.#waitedMs / 1000;
  }

  /**
   * The batch of the next part.
   *
   * @throws RangeError where no part is left, or a worker failed.
   */
  async next(): Promise<Batch> {
    const began = performance.now();
    try {
      if (this.#made.length === 0) this.#ask();
      const made = this.#made.shift();
      if (!made) throw new RangeError("Cannot take a batch: all of them were taken");
      return await made;
    } finally {
      this.#waitedMs += performance.now() - began;
      this.#fill();
    }
  }

  #fill(): void {
    while (this.#made.length < this.#ahead && this.#ask());
  }

  /** Starts the making of one more batch; false where no part is left. */
  #ask(): boolean {
    const { done, value: part } = this.#parts.next();
    if (done) return false;
    const batch = this.#makers.length === 0
      ? Promise.resolve(this.#make(part.step, part.from, part.to))
      : this.#order(part, this.#makers[this.#asked++ % this.#makers.length]!);
    batch.catch(() => {}); // met where it is taken
    this.#made.push(batch);
    return true;
  }

  #order(part: BatchPart, maker: Maker): Promise<Batch> {
    if (maker.failure) return Promise.reject(maker.failure);
    const waiting = Promise.withResolvers<Batch>();
    maker.waiting.push(waiting);
    const request: BatchRequest = { part };
    maker.worker.postMessage(request);
    return waiting.promise;
  }

  /** Ends the workers. */
  [Symbol.dispose](): void {
    for (const maker of this.#makers) stopMaker(maker, "the feed was closed");
  }
}
