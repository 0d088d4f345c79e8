/**
 * A trace as one page that opens without network: what the kernels take, the most first, and the memory that they hold.
 *
 * @module
 */
import { short } from "../cli/format.ts";
import { type Chart, chartHtml, type Point } from "./chart.ts";
import { type Html, html } from "./html.ts";
import { tableHtml, tilesHtml } from "./report.ts";
import { page } from "./report_page.ts";
import type { Trace } from "./trace.ts";

/** "7.81 GFLOP" */
const operations = (n: number): string => short(n).replace(/[kMG]?$/, (unit) => ` ${unit}FLOP`);

/** Kernels of one line in one program, over all steps of a trace. */
export interface KernelGroup {
  readonly program: string;
  readonly line: string;
  /** Times it ran: the dispatches, where a kernel has several. */
  readonly runs: number;
  readonly totalUs: number;
}

/** The kernels of a trace by what they do, those that take longest first. */
export function kernelGroups({ runs, programs }: Trace): readonly KernelGroup[] {
  const groups = new Map<string, KernelGroup>();
  for (const { program, times } of runs) {
    for (const { kernel, startUs, endUs } of times) {
      const line = programs[program]!.lines[kernel]!, key = `${program} ${line}`;
      const { runs = 0, totalUs = 0 } = groups.get(key) ?? {};
      groups.set(key, { program, line, runs: runs + 1, totalUs: totalUs + endUs - startUs });
    }
  }
  return [...groups.values()].sort((a, b) => b.totalUs - a.totalUs);
}

/** Stairs that a chart draws; its own thinning would average peaks away. */
const STAIRS = 200;

/** A staircase of heights, one a kernel; of more than are drawn the highest of each stretch. */
export function staircase(heights: readonly number[], limit: number = STAIRS): readonly Point[] {
  const stairs = Math.min(heights.length, limit);
  const from = (i: number): number => Math.floor(i * heights.length / stairs);
  return Array.from({ length: stairs }, (_, i): readonly Point[] => {
    const height = heights.slice(from(i), from(i + 1)).reduce((a, b) => Math.max(a, b));
    return [[from(i), height], [from(i + 1), height]];
  }).flat();
}

const MiB = (bytes: number): number => bytes / 2 ** 20;

function memoryChart(program: string, liveBytes: readonly number[]): Chart {
  return {
    title: `Memory of ${program}, MiB`,
    over: "kernel",
    series: [{ name: "in use", points: staircase(liveBytes.map(MiB)), look: "main" }],
    fromZero: true,
  };
}

function barsHtml(groups: readonly KernelGroup[], steps: number): Html {
  const all = groups.reduce((sum, g) => sum + g.totalUs, 0), longest = groups[0]?.totalUs ?? 0;
  const rows = groups.map(({ program, line, runs, totalUs }) =>
    html`
      <tr>
        <td>${program}</td>
        <td>${line}<div class="bar" style="width: ${(100 * totalUs / longest).toFixed(
          1,
        )}%"></div></td>
        <td>${short(runs / steps)} x</td>
        <td>${short(totalUs / steps / 1000)} ms</td>
        <td>${(100 * totalUs / all).toFixed(1)} %</td>
      </tr>
    `
  );
  return html`
    <section>
      <h2>Kernels, per step</h2>
      <table class="bars">${rows}</table>
    </section>
  `;
}

/** The page of a trace. */
export function tracePage(trace: Trace): string {
  const { title, device, runs, programs } = trace, groups = kernelGroups(trace);
  const steps = new Set(runs.map((r) => r.step)).size;
  const us = groups.reduce((sum, g) => sum + g.totalUs, 0) / steps;
  const flops = runs.reduce((sum, r) => sum + programs[r.program]!.flops, 0) / steps;
  const explained = Object.entries(programs);
  const peak = explained.reduce((most, [, e]) => Math.max(most, e.peakBytes), 0);
  const compile = explained.reduce((sum, [, e]) => sum + e.traceMs + e.planMs + e.codegenMs, 0);
  const tables = explained.map(([name, e]) =>
    tableHtml(`Program ${name}`, {
      kernels: e.kernels,
      "traced in": `${short(e.traceMs)} ms`,
      "planned in": `${short(e.planMs)} ms`,
      "code made in": `${short(e.codegenMs)} ms`,
      "peak of intermediate results": `${short(MiB(e.peakBytes))} MiB`,
      "memory for them": `${short(MiB(e.scratchBytes))} MiB`,
      "read and written": `${short(MiB(e.trafficBytes))} MiB`,
      "work of products": operations(e.flops),
    })
  );
  return page(
    title,
    html`
      <header>
        <h1>${title}</h1>
        <p>${steps} ${steps === 1 ? "step" : "steps"} on ${device}</p>
      </header>
      <dl class="tiles">${tilesHtml([
        ["device time of a step", `${short(us / 1000)} ms`],
        ["work of products in a step", operations(flops)],
        ["of them a second", `${operations(flops / us * 1e6)}/s`],
        ["peak of intermediate results", `${short(MiB(peak))} MiB`],
        ["compiled in", `${short(compile / 1000)} s`],
      ])}</dl>
      <div class="charts">${explained.map(([name, e]) =>
        chartHtml(memoryChart(name, e.liveBytes))
      )}</div>
      <div class="tables">${tables}</div>
      ${barsHtml(groups, steps)}
    `,
  );
}
