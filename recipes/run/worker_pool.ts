/**
 * Workers that answer questions: as many as there are cores, started when there is work for them.
 *
 * @module
 */

/** What a worker answers: a value, or in words why there is none. A worker that throws would be gone without a word. */
export type Reply<Out> = { readonly value: Out } | { readonly error: string };

/** How a pool is made. */
export interface PoolOptions {
  /** The module that the workers run; it calls `answer`. */
  readonly url: URL;
  /** What its work is called in messages, as in "segment text". */
  readonly work: string;
  /** Workers at most. */
  readonly size?: number;
}

/** Workers for one kind of question. It owns them: dispose of it (`using`) or the program does not end. */
// owns: the workers
export class WorkerPool<In, Out> implements Disposable {
  readonly #idle: Worker[] = [];
  readonly #all: Worker[] = [];
  readonly #waiting: (() => void)[] = [];
  readonly #options: PoolOptions;
  /** Workers at most. */
  readonly size: number;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.size = Math.max(1, options.size ?? navigator.hardwareConcurrency);
  }

  /** Asks the next worker that is idle. What is in `moved` is given away. */
  async ask(question: In, moved: Transferable[] = []): Promise<Out> {
    const worker = await this.#take(), { work } = this.#options;
    try {
      return await new Promise((resolve, reject) => {
        const fail = (why: string): void => reject(new RangeError(`Cannot ${work}: ${why}`));
        worker.onmessage = ({ data }: MessageEvent<Reply<Out>>): void =>
          "value" in data ? resolve(data.value) : fail(data.error);
        worker.onmessageerror = (): void => fail("its answer could not be read");
        worker.onerror = (event): void => {
          event.preventDefault();
          fail(event.message);
        };
        worker.postMessage(question, moved);
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
      if (this.#all.length < this.size) {
        const { url, work } = this.#options;
        const worker = new Worker(url, { type: "module", name: work });
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

/** The worker's side: answers each question by `f`. What `moved` names is given away. */
export function answer<In, Out>(
  f: (question: In) => Out | Promise<Out>,
  moved: (value: Out) => Transferable[] = () => [],
): void {
  self.onmessage = async ({ data }: MessageEvent<In>): Promise<void> => {
    try {
      const value = await f(data);
      self.postMessage({ value } satisfies Reply<Out>, moved(value));
    } catch (error) {
      self.postMessage({ error: (error as Error).message } satisfies Reply<Out>);
    }
  };
}
