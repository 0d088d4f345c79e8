/**
 * The tasks by name.
 *
 * @module
 */
import type { Task } from "./task.ts";
import { qbqtc } from "./tasks/qbqtc.ts";

/** In the order in which they are shown. */
export const tasks: Readonly<Record<string, Task>> = { qbqtc };
