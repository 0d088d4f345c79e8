/**
 * Segments texts on several workers: jieba is by far the slowest part of preparing a corpus.
 *
 * @module
 */
import { WorkerPool } from "../run/worker_pool.ts";
import type { SegmentAnswer, SegmentQuestion } from "./segment_worker.ts";
import type { SegmentSettings } from "./segment_words.ts";

/** Workers that segment. It owns them: dispose of it (`using`) or the program does not end. */
// owns: the workers
export class SegmentPool implements Disposable {
  readonly #pool: WorkerPool<SegmentQuestion, SegmentAnswer>;
  readonly #settings: SegmentSettings;

  /** A pool of at most `size` workers, started when there is work for them. */
  constructor(settings: SegmentSettings, size: number = navigator.hardwareConcurrency) {
    const url = new URL("./segment_worker.ts", import.meta.url);
    this.#pool = new WorkerPool({ url, work: "segment text", size });
    this.#settings = settings;
  }

  /** One byte for every UTF-16 unit of `text`: 1 where a word begins. */
  segment(text: string): Promise<SegmentAnswer> {
    return this.#pool.ask({ text, settings: this.#settings });
  }

  /** Ends the workers. */
  [Symbol.dispose](): void {
    this.#pool[Symbol.dispose]();
  }
}
