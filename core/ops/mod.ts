/** The ops, by name. Adding one: a file in this folder, and a line here. */
export { erf, tanh } from "./hyperbolic.ts";
