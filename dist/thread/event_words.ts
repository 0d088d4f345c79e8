/**
 * What a group tells its watcher, on its way between threads: errors as words, moments by a clock that both know.
 *
 * @module
 */
import type { DistError } from "../error.ts";
import type { GroupEvent } from "../observer.ts";
import { errorOf, type ErrorWords, wordsOf } from "./error_words.ts";

/** An event that can be posted. `at` counts from the epoch. */
export interface EventWords {
  readonly event: GroupEvent;
  /** In the place of the event's error, which would arrive as a plain one. */
  readonly error?: ErrorWords;
}

/** Says an event of this thread's clock. */
export function eventWords(event: GroupEvent): EventWords {
  const at = event.at + performance.timeOrigin;
  if (!("error" in event) || !event.error) return { event: { ...event, at } };
  const { error, ...rest } = event;
  return { event: { ...rest, at } as GroupEvent, error: wordsOf(error) };
}

/** The event by this thread's clock. */
export function eventOf({ event, error }: EventWords): GroupEvent {
  const at = event.at - performance.timeOrigin;
  return { ...event, at, ...error && { error: errorOf(error) as DistError } };
}
