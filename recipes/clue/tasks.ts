/**
 * The tasks by name.
 *
 * @module
 */
import type { Task } from "./task.ts";
import { afqmc } from "./tasks/afqmc.ts";
import { bustm } from "./tasks/bustm.ts";
import { c3 } from "./tasks/c3.ts";
import { chid } from "./tasks/chid.ts";
import { chnsenticorp } from "./tasks/chnsenticorp.ts";
import { cluener, cluenerSoftmax } from "./tasks/cluener.ts";
import { cluewsc } from "./tasks/cluewsc.ts";
import { cmnli } from "./tasks/cmnli.ts";
import { cmrc2018 } from "./tasks/cmrc2018.ts";
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
  cmrc2018,
  chid,
  c3,
  cluener,
  "cluener-softmax": cluenerSoftmax,
  qbqtc,
  lcqmc,
  bustm,
  chnsenticorp,
};
