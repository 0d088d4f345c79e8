/**
 * Shows how far long work is: one line that is redrawn on a terminal, a plain line now and then elsewhere. It writes to
 * standard error only: standard output is for results.
 *
 * @module
 */
import { duration } from "./format.ts";

/** How far a piece of work is. */
export interface Progress {
  /** What is being done, in a word or two. When it changes, a new piece of work begins. */
  readonly label: string;
  readonly done: number;
  /** How much there is to do, where that is known. */
  readonly total?: number;
  /** What else to show, as in "loss 5.21". */
  readonly figures?: readonly string[];
  /** Seconds left, where the caller knows better than the pace so far: a run with a time limit does. */
  readonly left?: number;
}

/** Where progress is shown. */
export interface Screen {
  write(text: string): void;
  /** Can a line be redrawn? */
  readonly redraws: boolean;
  readonly color: boolean;
  /** Units: columns. */
  width(): number;
  /** Units: milliseconds. */
  now(): number;
}

/** Shows progress. Dispose of it (`using`) to leave the last line standing. */
export interface ProgressView extends Disposable {
  show(progress: Progress): void;
  /** A line that stays. */
  note(line: string): void;
}

/** Milliseconds between two redraws, and between two plain lines. */
const REDRAW = 100, LINE = 10_000;
const BAR = 24;

/** Standard error of this process. NO_COLOR (no-color.org) takes the colours off, TERM=dumb the redrawing. */
export function standardError(): Screen {
  const terminal = Deno.stderr.isTerminal() && Deno.env.get("TERM") !== "dumb";
  const encoder = new TextEncoder();
  return {
    write(text) {
      const bytes = encoder.encode(text);
      for (let at = 0; at < bytes.length;) at += Deno.stderr.writeSync(bytes.subarray(at));
    },
    redraws: terminal,
    color: terminal && !Deno.noColor,
    width: () => terminal ? Deno.consoleSize().columns : 80,
    now: () => performance.now(),
  };
}

/** Shows progress on a screen. */
export function progressView(screen: Screen = standardError()): ProgressView {
  let first: { readonly label: string; readonly done: number; readonly at: number } | undefined;
  let shownAt = screen.now(), ended = false, lingers = false;
  let line = ""; // what stands on the line that is redrawn

  function left({ done, total, left }: Progress): number | undefined {
    if (left !== undefined || total === undefined || !first || done <= first.done) return left;
    if (lingers) return undefined;
    return (screen.now() - first.at) / 1000 / (done - first.done) * (total - done);
  }

  function words(progress: Progress): readonly string[] {
    const { done, total, figures = [] } = progress;
    const count = total === undefined ? `${done}` : `${done}/${total}`;
    const eta = left(progress);
    return [count, ...figures, ...eta === undefined ? [] : [`${duration(eta)} left`]];
  }

  function redraw(progress: Progress): void {
    const { label, done, total = 0 } = progress;
    const filled = total > 0 ? Math.round(BAR * Math.min(1, done / total)) : 0;
    const bar = total > 0 ? ["━".repeat(filled), "─".repeat(BAR - filled)] as const : ["", ""];
    const parts = [
      `${label} `,
      bar[0]!,
      bar[1]!,
      `${total > 0 ? " " : ""}${words(progress).join("  ")}`,
    ];
    let room = screen.width() - 1; // a full line would wrap
    const cut = parts.map((part) => {
      const kept = part.slice(0, Math.max(0, room));
      room -= kept.length;
      return kept;
    });
    if (screen.color) cut[1] = `\x1b[36m${cut[1]}\x1b[39m`;
    line = cut.join("");
    screen.write(`\r${line}\x1b[K`);
  }

  /** Ends the line that was redrawn. */
  function leave(): void {
    if (line !== "") screen.write("\n");
    line = "";
  }

  return {
    show(progress) {
      const at = screen.now();
      const begins = first?.label !== progress.label;
      if (begins) {
        leave();
        first = { label: progress.label, done: progress.done, at };
      }
      // What is still shown of work that has ended waits for its turn as before, and has no time left to tell.
      const over = progress.done === progress.total, ends = over && (begins || !ended);
      lingers = over && !ends;
      ended = over;
      // Elsewhere the first line waits too: work that fails at once says one thing only, why.
      const due = at - shownAt >= (screen.redraws ? REDRAW : LINE) || begins && screen.redraws;
      if (!due && !ends) return;
      shownAt = at;
      if (screen.redraws) redraw(progress);
      else screen.write(`${progress.label}: ${words(progress).join(", ")}\n`);
    },
    note(text) {
      const under = line;
      screen.write(under === "" ? `${text}\n` : `\r${text}\x1b[K\n${under}`);
    },
    [Symbol.dispose]: leave,
  };
}
