/**
 * What Slurm's variables say in its own shorthand.
 *
 * @module
 */

/**
 * The first host of a list like "node[007-011,020],gpu1".
 *
 * @example
 * ```ts
 * import { firstHost } from "./slurm.ts";
 * console.log(firstHost("node[007-011,020],gpu1")); // node007
 * ```
 */
export function firstHost(list: string): string | undefined {
  const [, name = "", digits, rest] =
    /^([\w.-]*)(?:\[(\d+)[\d,-]*\]([\w.-]*))?(?=,|$)/.exec(list) ??
      [];
  return name + (digits ?? "") + (rest ?? "") || undefined;
}

/**
 * Tasks on the node of this number, of a list like "4(x2),3": two nodes of four tasks and one of three.
 *
 * @example
 * ```ts
 * import { tasksOn } from "./slurm.ts";
 * console.log(tasksOn("4(x2),3", 2)); // 3
 * ```
 */
export function tasksOn(list: string, node: number): number | undefined {
  let first = 0;
  for (const part of list.split(",")) {
    const [, tasks, times = "1"] = /^(\d+)(?:\(x(\d+)\))?$/.exec(part) ?? [];
    if (tasks === undefined) return undefined;
    first += Number(times);
    if (node < first) return Number(tasks);
  }
  return undefined;
}
