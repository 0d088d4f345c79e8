/** The operations under test, under the names that the tests' programs use. */
export * from "../../core/mod.ts";
export { constant, init, linear, normal, repeat, type Spec, type TensorsOf } from "../../nn/mod.ts";
