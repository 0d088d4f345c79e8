/**
 * Works on many things, a few at a time.
 *
 * @module
 */

/**
 * Calls `f` for each thing, at most `limit` at once, until all are done, one fails or `stop` says so; gives false where it stopped.
 *
 * @throws what the first failing call threw, once the others have ended.
 */
export async function eachOf<T>(
  things: Iterable<T> | AsyncIterable<T>,
  limit: number,
  f: (thing: T) => Promise<void>,
  stop: () => boolean = () => false,
): Promise<boolean> {
  const running = new Set<Promise<void>>(), failed: unknown[] = [];
  let stopped = false;
  for await (const thing of things) {
    stopped = stop();
    if (stopped) break;
    const work: Promise<void> = f(thing).catch((error) => void failed.push(error))
      .finally(() => running.delete(work));
    running.add(work);
    while (running.size >= limit) await Promise.race(running);
    if (failed.length > 0) break;
  }
  await Promise.all(running);
  if (failed.length > 0) throw failed[0];
  return !stopped && !stop();
}
