/**
 * Progress of many pieces of work one after another, with the time left for all of them.
 *
 * @module
 */
import type { ProgressView } from "./progress.ts";

/**
 * A view of each piece that shows its place among all, and when all will be done, by the time so far.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { overallProgress } from "./overall_progress.ts";
 * import type { Progress } from "./progress.ts";
 *
 * const seen: Pick<Progress, "label" | "left">[] = [];
 * const show = ({ label, left = NaN }: Progress) => void seen.push({ label, left });
 * const view = { show, note: () => {}, [Symbol.dispose]: () => {} };
 * let time = 0;
 * const pieces = overallProgress(view, [1, 3], () => time);
 * time = 10_000;
 * pieces[0]!.show({ label: "tnews", done: 1, total: 2 });
 * assertEquals(seen, [{ label: "1/2 tnews", left: 70 }]);
 * ```
 */
export function overallProgress(
  view: ProgressView,
  works: readonly number[],
  now: () => number = () => performance.now(),
): readonly ProgressView[] {
  const start = now(), all = works.reduce((sum, work) => sum + work, 0);
  return works.map((work, i): ProgressView => {
    const before = works.slice(0, i).reduce((sum, work) => sum + work, 0);
    return {
      ...view,
      show(progress) {
        const { label, done, total } = progress;
        const so = before + (total ? work * done / total : 0);
        const left = (now() - start) / 1000 / so * (all - so);
        view.show({
          ...progress,
          label: `${i + 1}/${works.length} ${label}`,
          ...so > 0 && { left },
        });
      },
    };
  });
}
