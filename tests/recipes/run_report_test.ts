import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertLess,
  assertStringIncludes,
} from "@std/assert";
import { join } from "@std/path";
import { chartHtml, type Point, smooth, thin } from "../../recipes/run/chart.ts";
import { html } from "../../recipes/run/html.ts";
import { reportHtml, writeReport } from "../../recipes/run/report.ts";
import { linearScale, logScale } from "../../recipes/run/scale.ts";
import { assertPage } from "./assert_page.ts";
import { madeUpReport } from "./run_report_data.ts";
import { fc } from "../property.ts";

Deno.test("reportHtml is one page that needs nothing from outside", () => {
  const page = reportHtml(madeUpReport(1500));
  assertPage(page);
  assertEquals(page.match(/<figure/g)?.length, 5);
  for (
    const text of ["unigram 853", "model.layers", "clean.dropped.broken", "&#60;霜&#62;", "853"]
  ) {
    assertStringIncludes(page, text);
  }
  assert(!page.includes("<霜>"), "what comes from data is escaped");
});

Deno.test("reportHtml does not grow with the length of a run", () => {
  assertLess(reportHtml(madeUpReport(2_000_000)).length, 300_000);
});

Deno.test("reportHtml copes with a run that measured nothing, or one step", () => {
  const empty = { ...madeUpReport(100), metrics: [], evaluations: [], examples: [] };
  assertEquals(reportHtml(empty).includes("<figure"), false);
  const one = reportHtml({ ...empty, metrics: [{ step: 1, loss: 8.7, lr: 0, grad_norm: null }] });
  assertEquals(one.match(/<figure/g)?.length, 2);
  assertEquals(one.match(/NaN|Infinity/g), null);
  assertStringIncludes(one, "<circle", "one point is seen");
});

Deno.test("writeReport puts the page into the run's folder", async () => {
  const run = await Deno.makeTempDir();
  await writeReport(run, madeUpReport(100));
  assertEquals(
    await Deno.readTextFile(join(run, "report.html")),
    reportHtml(madeUpReport(100)),
  );
  assertEquals(Array.from(Deno.readDirSync(run)).length, 1);
  await Deno.remove(run, { recursive: true });
});

Deno.test("chartHtml draws every point where its axes say", () => {
  const svg = chartHtml({
    title: "Line",
    series: [{ name: "y", look: "main", points: [[0, 0], [50, 5], [100, 10], [100, NaN]] }],
  }).html;
  const [, drawn = ""] = /<polyline class="main" points="([^"]*)"/.exec(svg)!;
  assertEquals(drawn, "52,230 299,121 546,12");
});

const value = fc.double({ min: -1e6, max: 1e6, noNaN: true });
Deno.test("linearScale holds its values, and marks round numbers from end to end", () => {
  fc.assert(
    fc.property(value, value, fc.integer({ min: 2, max: 8 }), (a, b, count) => {
      const [min, max] = [Math.min(a, b), Math.max(a, b)];
      fc.pre(
        max === min || (max - min) / (Math.abs(min) + Math.abs(max)) > 1e-6 && max - min > 1e-200,
      );
      const { at, ticks } = linearScale(min, max, count);
      for (const x of [min, max]) assert(at(x) >= -1e-6 && at(x) <= 1 + 1e-6, `${x} at ${at(x)}`);
      assertAlmostEquals(at(ticks[0]!), 0, 1e-6);
      assertAlmostEquals(at(ticks.at(-1)!), 1, 1e-6);
      assert(ticks.length >= 2 && ticks.length <= count + 3, `${ticks}`);
    }),
    { examples: [[-1.5e-323, -1.5e-323, 2]] },
  );
});

Deno.test("logScale holds its values, and marks 1, 2 and 5 times the powers of ten", () => {
  const positive = fc.double({ min: -6, max: 6, noNaN: true }).map((power) => 10 ** power);
  fc.assert(fc.property(positive, positive, (a, b) => {
    const [min, max] = [Math.min(a, b), Math.max(a, b)];
    const { at, ticks } = logScale(min, max);
    for (const x of [min, max]) assert(at(x) >= -1e-6 && at(x) <= 1 + 1e-6, `${x} at ${at(x)}`);
    assert(ticks.length >= 2, `${min} to ${max}: ${ticks}`);
    for (const tick of ticks) {
      const digit = Number(tick.toExponential(0).split("e")[0]);
      assert([1, 2, 5].includes(digit), `${tick}`);
    }
  }));
  assertEquals(logScale(150, 900).ticks, [100, 200, 500, 1000]);
});

Deno.test("thin keeps the mean and the ends in sight, smooth a constant as it is", () => {
  const line = Array.from({ length: 10_000 }, (_, i): Point => [i, i / 2]);
  const few = thin(line, 100);
  assertEquals(few.length, 100);
  for (const [x, y] of few) assertAlmostEquals(y, x / 2, 1e-6);
  assertLess(few[0]![0], 100);
  assertEquals(thin(line.slice(0, 7), 100), line.slice(0, 7));
  for (const [, y] of smooth(line.map(([x]): Point => [x, 3]), 20)) assertAlmostEquals(y, 3, 1e-9);
  const steps = smooth([[0, 0], [1, 1], [2, 1], [3, 1]], 2).map(([, y]) => y);
  assertEquals(steps, [0, 1 / 1.5, 1.5 / 1.75, 1.75 / 1.875]);
});

Deno.test("html escapes values, and leaves pieces of HTML", () => {
  const list = ["<a>", "\"b\" & 'c'"].map((text) => html`<li>${text}</li>`);
  assertEquals(
    html`<ul>${list}</ul>${false}${undefined}${0}`.html,
    "<ul><li>&#60;a&#62;</li><li>&#34;b&#34; &#38; &#39;c&#39;</li></ul>0",
  );
});
