import { assert, assertEquals } from "@std/assert";
import { duration, short } from "../../recipes/cli/format.ts";
import { type Progress, progressView, type Screen } from "../../recipes/cli/progress.ts";

/** A screen with a clock that is set by hand. */
function fakeScreen(given: Partial<Pick<Screen, "redraws" | "color">> & { columns?: number } = {}) {
  let text = "", time = 0;
  const screen: Screen = {
    write: (more) => void (text += more),
    redraws: given.redraws ?? true,
    color: given.color ?? false,
    width: () => given.columns ?? 200,
    now: () => time,
  };
  return {
    screen,
    advance: (ms: number) => void (time += ms),
    take(): string {
      const taken = text;
      text = "";
      return taken;
    },
  };
}

const at = (done: number, more: Partial<Progress> = {}): Progress => ({
  label: "pretrain",
  done,
  total: 100,
  ...more,
});

Deno.test("progressView redraws one line on a terminal, at most ten times a second", () => {
  const { screen, advance, take } = fakeScreen();
  const view = progressView(screen);
  view.show(at(0));
  assertEquals(take(), `\rpretrain ${"─".repeat(24)} 0/100\x1b[K`);
  advance(60);
  view.show(at(1));
  assertEquals(take(), "", "too soon");
  advance(60);
  view.show(at(50, { figures: ["loss 5.21", "12.3k tokens/s"] }));
  assertEquals(
    take(),
    `\rpretrain ${"━".repeat(12)}${
      "─".repeat(12)
    } 50/100  loss 5.21  12.3k tokens/s  0:00 left\x1b[K`,
  );
  view.show(at(100));
  assertEquals(take(), `\rpretrain ${"━".repeat(24)} 100/100  0:00 left\x1b[K`, "the end is shown");
  view[Symbol.dispose]();
  assertEquals(take(), "\n");
});

Deno.test("progressView says how long is left from the pace, or what it is told", () => {
  const { screen, advance, take } = fakeScreen();
  const view = progressView(screen);
  view.show(at(10)); // a resumed run: the first ten steps say nothing about the pace
  take();
  advance(20_000);
  view.show(at(20));
  assert(take().includes("2:40 left"));
  advance(20_000);
  view.show(at(30, { left: 30 }));
  assert(take().includes("0:30 left"));
});

Deno.test("progressView shows that work has ended once; figures that come later wait for their turn", () => {
  const { screen, advance, take } = fakeScreen({ redraws: false });
  const view = progressView(screen);
  view.show(at(50));
  advance(1000);
  for (let n = 0; n <= 24; n++) {
    view.show(at(100, { figures: [`dev ${n}/24`] }));
    advance(1000);
  }
  view.show({ ...at(100), label: "another" });
  assertEquals(
    take(),
    "pretrain: 100/100, dev 0/24, 0:00 left\npretrain: 100/100, dev 10/24\npretrain: 100/100, dev 20/24\nanother: 100/100\n",
  );
});

Deno.test("progressView writes plain lines elsewhere, every ten seconds", () => {
  const { screen, advance, take } = fakeScreen({ redraws: false });
  const view = progressView(screen);
  view.show({ label: "read", done: 0 });
  for (let second = 1; second <= 25; second++) {
    advance(1000);
    view.show({ label: "read", done: second });
  }
  view.show(at(100, { figures: ["loss 5"] }));
  view.note("done");
  view[Symbol.dispose]();
  assertEquals(take(), "read: 10\nread: 20\npretrain: 100/100, loss 5\ndone\n");
});

Deno.test("progressView keeps to the width, with colours and without", () => {
  for (const color of [false, true]) {
    for (const columns of [1, 5, 20, 40, 80]) {
      const { screen, take } = fakeScreen({ columns, color });
      progressView(screen).show(at(50, { figures: ["loss 5.21"] }));
      const text = take();
      assertEquals(text.includes("\x1b[36m"), color);
      // deno-lint-ignore no-control-regex -- these are the control sequences that take no room
      const shown = text.replace(/\r|\x1b\[\d*[mK]/g, "");
      assert(shown.length < columns || columns === 1 && shown === "", `${columns}: ${shown}`);
    }
  }
});

Deno.test("progressView keeps a note above the line that is redrawn", () => {
  const { screen, take } = fakeScreen();
  const view = progressView(screen);
  view.show({ label: "read", done: 3 });
  take();
  view.note("checkpoint written");
  assertEquals(take(), "\rcheckpoint written\x1b[K\nread 3");
  view.show({ label: "segment", done: 0 });
  assertEquals(take(), "\n\rsegment 0\x1b[K", "a new piece of work gets a new line");
});

Deno.test("duration and short are for people", () => {
  assertEquals([0, 59.6, 61, 3599, 3600, 86_399].map(duration), [
    "0:00",
    "1:00",
    "1:01",
    "59:59",
    "1:00:00",
    "23:59:59",
  ]);
  assertEquals([0, 1, 12.345, 999.4, 999.6, 1234, 999_999, 1.5e6, -2500].map(short), [
    "0",
    "1",
    "12.3",
    "999",
    "1k",
    "1.23k",
    "1M",
    "1.5M",
    "-2.5k",
  ]);
});
