/**
 * Is the machine quiet? A figure taken while others compute says little, so every row tells how much they did.
 *
 * @module
 */
import { cpus } from "node:os";
import { cpuUsage } from "node:process";

/** Units: milliseconds of all cores together. */
interface Ticks {
  readonly busy: number;
  readonly all: number;
  /** By this process, all threads. */
  readonly own: number;
}

function ticks(): Ticks {
  let busy = 0, all = 0;
  for (const { times } of cpus()) {
    const { user, nice, sys, irq, idle } = times;
    busy += user + nice + sys + irq;
    all += user + nice + sys + irq + idle;
  }
  const { user, system } = cpuUsage();
  return { busy, all, own: (user + system) / 1000 };
}

/** Watches what others do during some spans of time. */
export interface LoadWatch {
  begin(): void;
  end(): void;
  /** Share of all cores that others used in the spans. */
  share(): number;
}

/** A watch that has seen nothing yet. */
export function watchLoad(): LoadWatch {
  let others = 0, all = 0, first = ticks();
  return {
    begin: () => void (first = ticks()),
    end() {
      const last = ticks();
      others += last.busy - first.busy - (last.own - first.own);
      all += last.all - first.all;
    },
    // The system counts in hundredths of a second, so a short span may come out below 0.
    share: () => all > 0 ? Math.min(1, Math.max(0, others / all)) : 0,
  };
}

/** Share of all cores in use while this process sleeps for so long. */
export async function idleLoad(ms: number): Promise<number> {
  const watch = watchLoad();
  watch.begin();
  await new Promise((resolve) => setTimeout(resolve, ms));
  watch.end();
  return watch.share();
}
