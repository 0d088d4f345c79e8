/**
 * Counts and times in the text format of Prometheus.
 *
 * Source: https://prometheus.io/docs/instrumenting/exposition_formats/ (text format 0.0.4)
 *
 * @module
 */

/** Names and values that tell series of one metric apart. */
export type Labels = Readonly<Record<string, string | number>>;

/** A metric, as text. */
export interface Metric {
  readonly lines: () => readonly string[];
}

/** A number that only grows. */
export interface Counter extends Metric {
  readonly add: (labels: Labels, by?: number) => void;
}

/** How values are spread. */
export interface Histogram extends Metric {
  readonly observe: (labels: Labels, value: number) => void;
}

const escaped = (value: string | number): string =>
  String(value).replace(/[\\"\n]/g, (c) => c === "\n" ? "\\n" : `\\${c}`);

function series(labels: Labels): string {
  const all = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return all.length > 0 ? `{${all.join(",")}}` : "";
}

const head = (name: string, type: string, help: string): readonly string[] => [
  `# HELP ${name} ${help}`,
  `# TYPE ${name} ${type}`,
];

/** A counter; its name ends in `_total`. */
export function counter(name: string, help: string): Counter {
  const sums = new Map<string, number>();
  return {
    add(labels, by = 1) {
      const key = series(labels);
      sums.set(key, (sums.get(key) ?? 0) + by);
    },
    lines: () => [
      ...head(name, "counter", help),
      ...[...sums].map(([key, sum]) => `${name}${key} ${sum}`),
    ],
  };
}

/** A number that is asked for when it is shown. */
export function gauge(name: string, help: string, value: () => number): Metric {
  return { lines: () => [...head(name, "gauge", help), `${name} ${value()}`] };
}

/** A histogram; `bounds` ascend. */
export function histogram(name: string, help: string, bounds: readonly number[]): Histogram {
  const all = new Map<string, { labels: Labels; counts: number[]; sum: number }>();
  return {
    observe(labels, value) {
      const key = series(labels), found = all.get(key);
      const { counts, sum } = found ?? { counts: Array(bounds.length + 1).fill(0), sum: 0 };
      const at = bounds.findIndex((bound) => value <= bound);
      counts[at < 0 ? bounds.length : at]!++;
      all.set(key, { labels, counts, sum: sum + value });
    },
    lines: () => [
      ...head(name, "histogram", help),
      ...[...all].flatMap(([key, { labels, counts, sum }]) => {
        let below = 0;
        return [
          ...counts.map((count, i) => {
            below += count;
            return `${name}_bucket${series({ ...labels, le: bounds[i] ?? "+Inf" })} ${below}`;
          }),
          `${name}_sum${key} ${sum}`,
          `${name}_count${key} ${below}`,
        ];
      }),
    ],
  };
}

/** The text of metrics. */
export const metricsText = (metrics: readonly Metric[]): string =>
  metrics.flatMap((metric) => metric.lines()).join("\n") + "\n";
