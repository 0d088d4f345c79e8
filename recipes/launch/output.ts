/**
 * What started processes write.
 *
 * @module
 */

/** Text that is read line by line. */
export interface Lines {
  /** Resolves when nobody can write any more. */
  readonly done: Promise<void>;
  readonly stop: () => Promise<void>;
}

/** Time that the output of ended processes has to come to its end: another process may hold it open. */
const DRAIN = 2000;

/** Reads text line by line, the last one too if it does not end. */
export function lines(stream: ReadableStream<Uint8Array>, line: (text: string) => void): Lines {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  async function read(): Promise<void> {
    let text = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      const whole = (text + value).split("\n");
      text = whole.pop()!;
      whole.forEach(line);
    }
    if (text !== "") line(text);
  }
  return { done: read(), stop: () => reader.cancel().catch(() => {}) };
}

/** Reads what processes that have ended wrote, but waits for no others that they left behind. */
export async function drain(reads: readonly Lines[]): Promise<void> {
  const drained = Promise.all(reads.map(({ done }) => done));
  let late: ReturnType<typeof setTimeout> | undefined;
  await Promise.race([drained, new Promise((resolve) => late = setTimeout(resolve, DRAIN))]);
  clearTimeout(late);
  for (const { stop } of reads) await stop();
}
