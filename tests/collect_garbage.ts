import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");

/** Collects all garbage now; what finalisers do comes in later turns of the event loop. */
export const collectGarbage = runInNewContext("gc") as () => void;
