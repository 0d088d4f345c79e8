/**
 * Segments texts on several workers: jieba is by far the slowest part of preparing a corpus.
 *
 * @module
 */
import type { SegmentReply, SegmentRequest } from "./segment_worker.ts";
import type { SegmentSettings } from "./segment_words.ts";

/** Workers that segment. It owns them: dispose of it (`using`) or the program does not end. */
// owns: the workers
export class SegmentPool implements Disposable {
  readonly #idle: Worker[] = [];
  readonly #all: Worker[] = [];
  readonly #waiting: (() => void)[] = [];
  readonly #settings: SegmentSettings;
  readonly #size: number;

  /** A pool of at most `size` workers, started when there is work for them. */
  constructor(settings: SegmentSettings, size: number = navigator.hardwareConcurrency) {
    this.#settings = settings;
    this.#size = Math.max(1, size);
  }

  /** One byte for every UTF-16 unit of `text`: 1 where a word begins. */
  async segment(text: string): Promise<Uint8Array> {
    const worker = await this.#take();
    try {
      return await new Promise((resolve, reject) => {
        worker.onmessage = ({ data }: MessageEvent<SegmentReply>): void =>
          "starts" in data
            ? resolve(data.starts)
            : reject(new RangeError(`Cannot segment text: ${data.error}`));
        worker.onerror = (event): void => {
          event.preventDefault();
          reject(new RangeError(`Cannot segment text: ${event.message}`));
        };
        const request: SegmentRequest = { text, settings: this.#settings };
        worker.postMessage(request);
      });
    } finally {
      this.#idle.push(worker);
      this.#waiting.shift()?.();
    }
  }

  async #take(): Promise<Worker> {
    for (;;) {
      const idle = this.#idle.pop();
      if (idle) return idle;
      if (this.#all.length < this.#size) {
        const url = new URL("./segment_worker.ts", import.meta.url);
        const worker = new Worker(url, { type: "module", name: "segmenter" });
        this.#all.push(worker);
        return worker;
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Ends the workers. */
  [Symbol.dispose](): void {
    for (const worker of this.#all) worker.terminate();
  }
}
