/**
 * The tasks by name.
 *
 * @module
 */
import type { Task } from "./task.ts";
import { afqmc } from "./tasks/afqmc.ts";
import { bustm } from "./tasks/bustm.ts";
import { chnsenticorp } from "./tasks/chnsenticorp.ts";
import { cluewsc } from "./tasks/cluewsc.ts";
import { cmnli } from "./tasks/cmnli.ts";
import { csl } from "./tasks/csl.ts";
import { iflytek } from "./tasks/iflytek.ts";
import { lcqmc } from "./tasks/lcqmc.ts";
import { ocnli } from "./tasks/ocnli.ts";
import { qbqtc } from "./tasks/qbqtc.ts";
import { tnews } from "./tasks/tnews.ts";

/** In the order in which they are shown: those of CLUE's total board first. */
export const tasks: Readonly<Record<string, Task>> = {
  afqmc,
  tnews,
  iflytek,
  cmnli,
  ocnli,
  cluewsc,
  csl,
  qbqtc,
  lcqmc,
  bustm,
  chnsenticorp,
};
